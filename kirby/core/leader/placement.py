"""On which hosts a daemon belongs (section "Daemons"): the leader alone decides it."""

from hashlib import blake2b

from kirby.core.names import ContextKey, Host
from kirby.core.nouns import Hosts


def place(context: ContextKey, hosts: Hosts, live: list[Host]) -> tuple[Host, ...]:
    """Choose the hosts of a daemon among those that may have it, the first in rank first.

    A number of hosts is chosen by rendezvous hashing (Thaler and Ravishankar, 1998): a host that
    comes or goes moves only the daemons that it gains or loses.
    """
    if hosts == "all":
        return tuple(sorted(live))
    if isinstance(hosts, int):
        ranked = sorted(live, key=lambda host: _weight(context, host), reverse=True)
        return tuple(ranked[:hosts])
    return tuple(sorted(host for host in hosts if host in live))


def _weight(context: ContextKey, host: Host) -> bytes:
    return blake2b(f"{context} {host}".encode(), digest_size=8).digest()

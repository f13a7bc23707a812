"""How a daemon gets from host to host: it ends at the old place before it begins at the new one."""

from collections.abc import Sequence
from dataclasses import dataclass

from kirby.core.names import Host
from kirby.core.nouns import Hosts


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a daemon should run, and where it must end first; both by name."""

    hosts: tuple[Host, ...] = ()
    leaving: tuple[Host, ...] = ()


def most_places(hosts: Hosts) -> int | None:
    """Return on how many hosts a daemon may be at a time; None: on any number."""
    if hosts == "all":
        return None
    return hosts if isinstance(hosts, int) else len(hosts)


def next_places(target: Sequence[Host], most: int | None, held: frozenset[Host]) -> Places:
    """Take the next step from where a daemon is to where it belongs.

    Args:
        target: the hosts that it belongs on, the first in rank first.
        most: the number of hosts that it may be on at a time, counting those that it leaves.
        held: hosts that it was given to, and all on which something of it may be left.
    """
    kept = [host for host in target if host in held]
    leaving = held - set(target)
    coming = [host for host in target if host not in held]
    if most is not None:
        coming = coming[: max(most - len(kept) - len(leaving), 0)]
    return Places(hosts=tuple(sorted([*kept, *coming])), leaving=tuple(sorted(leaving)))

"""Which hosts may hold a daemon's instance, by what their heartbeats say (section "Daemons").

"Not any more" and "not yet" look alike in a heartbeat that lists nothing. So each carries how far
its host has read the daemons' offers, and an absence is believed only in one that has read the
offer which took the daemon away.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from kirby.core.leader.roster import HostView, Roster
from kirby.core.names import ContextKey, Host


@dataclass(frozen=True, kw_only=True)
class Stands:
    """Where the newest offer of a daemon stands in the log, once it was read back."""

    partition: int
    offset: int


def holders(roster: Roster, context: ContextKey) -> frozenset[Host]:
    """Return the hosts whose newest heartbeat lists the daemon; a lost host holds nothing."""
    views = roster.hosts.values()
    return frozenset(view.host for view in views if context in view.daemons and not view.is_lost)


def remaining(
    roster: Roster, context: ContextKey, leaving: Iterable[Host], stands: Stands | None
) -> frozenset[Host]:
    """Return those of the leaving hosts of which it is not known that nothing is left there."""
    views = (roster.view(host) for host in leaving)
    return frozenset(view.host for view in views if not _has_left(view, context, stands))


def _has_left(view: HostView, context: ContextKey, stands: Stands | None) -> bool:
    return view.is_lost or (context not in view.daemons and _has_read(view, stands))


def _has_read(view: HostView, stands: Stands | None) -> bool:
    if stands is None or view.heartbeat is None:
        return False
    read = view.heartbeat.daemons_read
    return stands.partition < len(read) and read[stands.partition] > stands.offset

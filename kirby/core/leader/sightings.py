"""What heartbeats say of an edition on a host: that it runs, that it failed, or nothing yet."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from kirby.core.back_off import CRASH_LOOP
from kirby.core.leader.roster import Roster
from kirby.core.names import ContextKey, Host
from kirby.core.records import Instance, InstanceState, Watch

See: TypeAlias = Callable[[Host], Instance | None]


@dataclass(frozen=True, kw_only=True)
class Runs:
    """It runs, in this life."""

    attempt: int


@dataclass(frozen=True, kw_only=True)
class Failed:
    """It will not do."""

    reason: str  # what it did, in a few words that follow its version


@dataclass(frozen=True, kw_only=True)
class NotYet:
    """It does not run at the moment, or that is not known."""


Sighting: TypeAlias = Runs | Failed | NotYet


def eyes(roster: Roster, context: ContextKey) -> See:
    """Return how to look at a daemon's instance; of a host that is silent nothing is seen."""

    def see(host: Host) -> Instance | None:
        view = roster.hosts.get(host)
        if view is None or view.heartbeat is None or not view.is_live:
            return None
        found = (each for each in view.heartbeat.instances if each.context == context)
        return next(found, None)

    return see


def sight(instance: Instance | None, edition: str, watch: Watch | None) -> Sighting:
    """Judge what was seen of an edition.

    Args:
        instance: as the host's newest heartbeat tells it.
        edition: the name of the edition in question.
        watch: what was seen of it before, where it is being watched.
    """
    if instance is None or instance.wanted != edition:
        return NotYet()
    if instance.failed:
        return Failed(reason=f"cannot be installed: {instance.failed}")
    if instance.state is InstanceState.CRASH_LOOP:
        last = f", the last time: {instance.last_end}" if instance.last_end else ""
        return Failed(reason=f"ended {instance.in_a_row} times in a row{last}")
    if instance.edition != edition or instance.state is not InstanceState.RUNNING:
        return NotYet()
    if watch is not None and watch.first and instance.attempt - watch.first >= CRASH_LOOP:
        return Failed(reason=f"ended {CRASH_LOOP} times while it was being watched")
    return Runs(attempt=instance.attempt)

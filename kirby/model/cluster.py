"""The hosts, the daemons on them, and who leads, as their last records told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kirby.core.draining import draining_of
from kirby.core.records import InstanceState
from kirby.model.drains import drains
from kirby.model.happenings import DaemonInstance, HostRow, Leader

SILENT_AFTER = timedelta(seconds=20)  # rule L2: lease and margin
BEAT_OLD = timedelta(seconds=12)  # beats come each 0.3 s, and are noted each 2 s


@dataclass(frozen=True, kw_only=True)
class DrainView:
    """Since when a host is being taken out, by whom, and what it still holds."""

    since: datetime
    by: str
    state: str
    runs: int
    daemons: int
    sentence: str


@dataclass(frozen=True, kw_only=True)
class HostView:
    """A host and how it is."""

    name: str
    leads: bool
    alive: bool
    heard: datetime
    started: datetime
    version: str
    address: str
    slots: int
    free_slots: int
    incarnation: int
    clock_offset_ms: float
    draining: bool
    held: Sequence[dict[str, Any]]
    builds: Sequence[dict[str, Any]]
    leads_since: datetime | None = None
    drain: DrainView | None = None


@dataclass(frozen=True, kw_only=True)
class DaemonView:
    """A daemon's instance on a host; `alive` is whether the host was heard lately."""

    id: str
    context: str
    host: str
    state: InstanceState
    attempt: int
    generation: int
    package: str
    since: datetime | None
    restarts: int
    reason: str
    memory: int
    heard: datetime
    alive: bool


@dataclass(frozen=True, kw_only=True)
class LeaderView:
    """Who leads, since when, and when the last beat was read."""

    host: str
    epoch: int
    since: datetime
    beat: datetime
    beats: bool  # the last one is not old


def leader(now: datetime) -> LeaderView | None:
    """Return who leads, None where nobody ever did."""
    row = Leader.get_or_none()
    if row is None:
        return None
    return LeaderView(
        host=row.host,
        epoch=row.epoch,
        since=row.since,
        beat=row.beat,
        beats=now - row.beat < BEAT_OLD,
    )


def hosts(now: datetime) -> list[HostView]:
    """Return all hosts that were heard in the last week, by name."""
    leading = leader(now)
    beating = leading if leading is not None and leading.beats else None
    asked = drains()
    rows = HostRow.select().order_by(HostRow.name)
    return [_host(row, now, beating, _drain(row, asked.get(row.name))) for row in rows]


def host(name: str, now: datetime) -> HostView | None:
    """Return one host; None: it was not heard in the last week."""
    return next((each for each in hosts(now) if each.name == name), None)


def daemons(now: datetime, context: str | None = None) -> list[DaemonView]:
    """Return the instances of all daemons, or of one, by name."""
    query = DaemonInstance.select().order_by(DaemonInstance.context, DaemonInstance.host)
    if context is not None:
        query = query.where(DaemonInstance.context == context)
    return [DaemonView(**row, alive=now - row["heard"] < SILENT_AFTER) for row in query.dicts()]


def _drain(row: Any, asked: Any) -> DrainView | None:
    if asked is None:
        return None
    held = ((each["run"], each["phase"]) for each in row.held)
    placed = DaemonInstance.select(DaemonInstance.id).where(DaemonInstance.host == row.name)
    draining = draining_of(held, [each.id for each in placed], is_told=row.draining)
    return DrainView(
        since=asked.since,
        by=asked.by,
        state=draining.state.value,
        runs=draining.runs,
        daemons=draining.daemons,
        sentence=draining.sentence,
    )


def _host(row: Any, now: datetime, beating: LeaderView | None, drain: DrainView | None) -> HostView:
    worked_out = ("leads", "leads_since", "alive", "drain")
    plain = [name for name in HostView.__dataclass_fields__ if name not in worked_out]
    leads = beating is not None and row.name == beating.host
    return HostView(
        **{name: getattr(row, name) for name in plain},
        drain=drain,
        leads=leads,
        leads_since=beating.since if leads and beating else None,
        alive=now - row.heard < SILENT_AFTER,
    )

"""Questions about what happened: runs with their attempts, stretches, strips of fires."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from statistics import median
from typing import Any

from kirby.core.errors import NotFound
from kirby.core.nouns import AttemptEnd, NotStartedReason, RunEnd
from kirby.model.happenings import Attempt, Run, StretchRow

LIMIT = 1000  # of one answer; a page asks for 50
STRIP = 40  # fires that a page shows of a context


class RunState(Enum):
    """How far a run without an end has come; the narrowest of what its steps say."""

    WAITING = "waiting"  # offered, or between two attempts
    STARTING = "starting"  # armed or parked
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"


@dataclass(frozen=True, kw_only=True)
class AttemptView:
    """One try of a run, or one life of a daemon's instance."""

    run: str
    attempt: int
    context: str
    host: str
    incarnation: int | None
    package: str
    offered: datetime | None
    not_before: datetime | None
    deadline: datetime | None
    claimed: datetime | None
    armed: datetime | None
    parked: datetime | None
    released: datetime | None
    first_line: datetime | None
    late_us: int | None
    stop_asked: datetime | None
    stop_reason: str
    ended: datetime | None
    end: AttemptEnd | None
    not_started: NotStartedReason | None
    reason: str
    exit_status: int | None
    signal: int | None
    seconds: float | None
    cpu_seconds: float | None
    peak_memory: int | None
    tail: Sequence[str] | None
    log_partition: int | None
    log_first: int | None
    log_last: int | None
    log_lines: int | None
    dropped_bytes: int | None

    @property
    def state(self) -> RunState:
        """Tell how far it has come."""
        if self.end is not None:
            return RunState.ENDED
        if self.stop_asked is not None:
            return RunState.STOPPING
        if self.released is not None or self.first_line is not None:
            return RunState.RUNNING
        return RunState.WAITING if self.armed is None else RunState.STARTING


@dataclass(frozen=True, kw_only=True)
class RunView:
    """A run with its attempts, the earliest first."""

    id: str
    context: str
    due: datetime
    manual: bool
    asked_by: str
    attempts: int
    begun: datetime | None
    end: RunEnd | None
    reason: str
    ended: datetime | None
    tries: tuple[AttemptView, ...]

    @property
    def state(self) -> RunState:
        """Tell how far it has come; an ended attempt without an end of the run waits for more."""
        if self.end is not None:
            return RunState.ENDED
        state = self.tries[-1].state if self.tries else RunState.WAITING
        return RunState.WAITING if state is RunState.ENDED else state

    @property
    def last(self) -> AttemptView | None:
        """Return the latest attempt."""
        return self.tries[-1] if self.tries else None


@dataclass(frozen=True, kw_only=True)
class StretchView:
    """A stretch of fires with one end and one reason."""

    context: str
    first: datetime
    last: datetime
    fires: int
    end: RunEnd
    reason: str
    at: datetime

    @property
    def due(self) -> datetime:
        """Return where it stands in a list of fires."""
        return self.last


@dataclass(frozen=True, kw_only=True)
class RunFilter:
    """Which runs are asked for; the latest `limit` of them."""

    contexts: Sequence[str] | None = None  # None: all
    since: datetime | None = None  # due at or after
    until: datetime | None = None  # due before
    before: tuple[datetime, str] | None = None  # due instant and id where the last page ended
    end: RunEnd | None = None
    limit: int = 50


Fire = RunView | StretchView


def fires(wanted: RunFilter) -> list[Fire]:
    """Return runs and stretches that fit, the latest first."""
    limit = max(1, min(wanted.limit, LIMIT))
    found: list[Fire] = [*_runs(wanted, limit), *_stretches(wanted, limit)]
    return sorted(found, key=place, reverse=True)[:limit]


def place(fire: Fire) -> tuple[datetime, str]:
    """Return where a fire stands among all: by its due instant, then by its name."""
    return fire.due, fire.id if isinstance(fire, RunView) else fire.context


def run_view(run: str) -> RunView:
    """Return one run.

    Raises:
        NotFound: nothing was heard of it (it may be too old).
    """
    row = Run.get_or_none(Run.id == run)
    if row is None:
        raise NotFound(f"nothing is known of a run {run}: see kirby runs")
    return _views([row])[0]


def attempts_of(run: str) -> list[AttemptView]:
    """Return the attempts of a run, or the lives of a daemon's instance, the earliest first."""
    return [_attempt(row) for row in Attempt.select().where(Attempt.run == run).order_by(
        Attempt.attempt)]  # fmt: skip


def lives_of(context: str, limit: int) -> list[AttemptView]:
    """Return the latest lives of a daemon's instances, on whatever host, the latest first."""
    query = Attempt.select().where((Attempt.context == context) & Attempt.run.contains("#"))
    return [_attempt(row) for row in query.order_by(Attempt.seen.desc()).limit(limit)]


def missed_since(since: datetime) -> int:
    """Count the fires that were missed or lost since an instant."""
    bad = (RunEnd.MISSED, RunEnd.LOST)
    runs = Run.select().where((Run.end.in_(bad)) & (Run.due >= since)).count()
    stretches = StretchRow.select().where((StretchRow.end.in_(bad)) & (StretchRow.last >= since))
    return int(runs) + sum(row.fires for row in stretches)


def open_runs() -> int:
    """Count the runs without an end."""
    return int(Run.select().where(Run.end.is_null()).count())


def median_seconds(views: Iterable[Fire]) -> float | None:
    """Return how long the successful runs among these took; None: there are none."""
    took = [
        view.last.seconds
        for view in views
        if isinstance(view, RunView)
        and view.end is RunEnd.SUCCEEDED
        and view.last is not None
        and view.last.seconds is not None
    ]
    return median(took) if took else None


def _runs(wanted: RunFilter, limit: int) -> list[RunView]:
    query = Run.select()
    if wanted.contexts is not None:
        query = query.where(Run.context.in_(wanted.contexts))
    if wanted.since is not None:
        query = query.where(Run.due >= wanted.since)
    if wanted.until is not None:
        query = query.where(Run.due < wanted.until)
    if wanted.before is not None:
        due, run = wanted.before
        query = query.where((Run.due < due) | ((Run.due == due) & (Run.id < run)))
    if wanted.end is not None:
        query = query.where(Run.end == wanted.end)
    return _views(list(query.order_by(Run.due.desc(), Run.id.desc()).limit(limit)))


def _stretches(wanted: RunFilter, limit: int) -> list[StretchView]:
    query = StretchRow.select()
    if wanted.contexts is not None:
        query = query.where(StretchRow.context.in_(wanted.contexts))
    if wanted.since is not None:
        query = query.where(StretchRow.last >= wanted.since)
    if wanted.until is not None:
        query = query.where(StretchRow.last < wanted.until)
    if wanted.before is not None:
        due, name = wanted.before
        earlier = (StretchRow.last == due) & (StretchRow.context < name)
        query = query.where((StretchRow.last < due) | earlier)
    if wanted.end is not None:
        query = query.where(StretchRow.end == wanted.end)
    return [
        StretchView(**row) for row in query.order_by(StretchRow.last.desc()).limit(limit).dicts()
    ]


def _views(rows: Sequence[Any]) -> list[RunView]:
    tries: dict[str, list[AttemptView]] = defaultdict(list)
    ids = [row.id for row in rows]
    for begin in range(0, len(ids), 500):
        chosen = Attempt.select().where(Attempt.run.in_(ids[begin : begin + 500]))
        for row in chosen.order_by(Attempt.run, Attempt.attempt):
            tries[row.run].append(_attempt(row))
    return [_view(row, tries[row.id]) for row in rows]


def _view(row: Any, tries: Sequence[AttemptView]) -> RunView:
    return RunView(
        id=row.id,
        context=row.context,
        due=row.due,
        manual=bool(row.manual),
        asked_by=row.asked_by,
        attempts=row.attempts,
        begun=row.begun,
        end=row.end,
        reason=row.reason,
        ended=row.ended,
        tries=tuple(tries),
    )


def _attempt(row: Any) -> AttemptView:
    return AttemptView(**{name: getattr(row, name) for name in AttemptView.__dataclass_fields__})

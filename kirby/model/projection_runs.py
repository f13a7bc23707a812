"""Steps of runs and daemons: each fills the columns of its own, in whatever order they come."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from peewee import fn

from kirby.core.names import RunId, context_of, due_of, is_instance
from kirby.core.nouns import AttemptEnd
from kirby.core.records import (
    Armed,
    Ended,
    Exited,
    FirstLine,
    Logged,
    NotStarted,
    Offered,
    Parked,
    Released,
    RunRecord,
    Step,
    StopAsked,
    Stretch,
)
from kirby.model.database import is_sqlite
from kirby.model.happenings import Attempt, Run, StretchRow
from kirby.model.texts import storable

RUN_RECORDS = (Step, Offered, Ended, Stretch)
TAIL_LINES = 50
TAIL_LINE_LIMIT = 2000


@dataclass(kw_only=True)
class RunBatch:
    """Projects records of the runs topic; remembers in one transaction which rows are there."""

    runs: set[str] = field(default_factory=set)
    attempts: set[tuple[str, int]] = field(default_factory=set)

    def see(self, record: RunRecord) -> None:
        """Project one record."""
        match record:
            case Offered():
                self._see_offered(record)
            case Ended():
                self._see_ended(record)
            case Stretch():
                _see_stretch(record)
            case _:
                self._see_step(record)

    def _see_offered(self, record: Offered) -> None:
        self._ensure(record.run, record.attempt, record.at)
        _set_attempt(
            record.run,
            record.attempt,
            offered=record.at,
            not_before=record.not_before,
            deadline=record.deadline,
            package=record.package,
        )
        if record.asked_by:
            Run.update(asked_by=record.asked_by).where(Run.id == record.run).execute()

    def _see_ended(self, record: Ended) -> None:
        self._ensure_run(record.run, 0)
        Run.update(
            end=record.end,
            reason=storable(record.reason),
            ended=record.at,
            attempts=_greatest(Run.attempts, record.attempts),
        ).where((Run.id == record.run) & Run.end.is_null()).execute()

    def _see_step(self, step: Step) -> None:
        self._ensure(step.run, step.attempt, step.at)
        _set_attempt(
            step.run, step.attempt, host=step.host, incarnation=step.incarnation, **_columns(step)
        )
        match step:
            case Released() | FirstLine():
                _see_begun(step)
            case StopAsked():
                _see_stop(step)
            case Exited() | NotStarted():
                _see_attempt_end(step)

    def _ensure(self, run: str, attempt: int, at: datetime) -> None:
        """See to it that a run (unless it is a daemon's instance) and its attempt have rows."""
        if (run, attempt) in self.attempts:
            return
        if not is_instance(run):
            self._ensure_run(RunId(run), attempt)
        Attempt.insert(
            run=run, attempt=attempt, context=context_of(run), seen=at
        ).on_conflict_ignore().execute()
        self.attempts.add((run, attempt))

    def _ensure_run(self, run: RunId, attempt: int) -> None:
        if run not in self.runs:
            Run.insert(
                id=run, context=context_of(run), due=due_of(run), manual="~" in run
            ).on_conflict_ignore().execute()
            self.runs.add(run)
        if attempt:
            Run.update(attempts=attempt).where(
                (Run.id == run) & (Run.attempts < attempt) & Run.end.is_null()
            ).execute()


def _columns(step: Step) -> dict[str, Any]:
    """Return the columns that a step fills whatever came before it."""
    match step:
        case Armed():
            package = {"package": step.package} if step.package else {}
            claimed = {"claimed": step.claimed_at} if step.claimed_at is not None else {}
            return {"armed": step.at, **package, **claimed}
        case Parked():
            return {"parked": step.at}
        case Released():
            return {"released": step.at}
        case FirstLine():
            return {"first_line": step.at, "late_us": step.late_us}
        case Logged():
            return _logged_columns(step)
        case _:
            return {}


def _see_stretch(record: Stretch) -> None:
    StretchRow.insert(
        context=record.context,
        first=record.first,
        last=record.last,
        fires=record.count,
        end=record.end,
        reason=storable(record.reason),
        at=record.at,
    ).on_conflict_ignore().execute()


def _see_begun(step: Step) -> None:
    later = Run.begun.is_null() | (Run.begun > step.at)
    Run.update(begun=step.at).where((Run.id == step.run) & later).execute()


def _see_stop(step: StopAsked) -> None:
    first = _one(step.run, step.attempt) & Attempt.stop_asked.is_null()
    Attempt.update(stop_asked=step.at, stop_reason=storable(step.reason)).where(first).execute()


def _see_attempt_end(step: Exited | NotStarted) -> None:
    open_one = _one(step.run, step.attempt) & Attempt.end.is_null()
    columns = _exited_columns(step) if isinstance(step, Exited) else _not_started_columns(step)
    columns |= {"ended": step.at, "reason": storable(step.reason)}
    Attempt.update(columns).where(open_one).execute()


def _exited_columns(step: Exited) -> dict[str, Any]:
    return {
        "end": step.end,
        "exit_status": step.exit_status,
        "signal": step.signal,
        "seconds": step.seconds,
        "cpu_seconds": step.cpu_seconds,
        "peak_memory": step.peak_memory,
        "tail": [storable(line, TAIL_LINE_LIMIT) for line in step.tail[-TAIL_LINES:]],
    }


def _not_started_columns(step: NotStarted) -> dict[str, Any]:
    return {"end": AttemptEnd.NOT_STARTED, "not_started": step.why}


def _logged_columns(step: Logged) -> dict[str, Any]:
    """Widen the range: a long run tells of its log again and again."""
    return {
        "log_partition": step.partition,
        "log_first": _least(fn.COALESCE(Attempt.log_first, step.first_offset), step.first_offset),
        "log_last": _greatest(fn.COALESCE(Attempt.log_last, step.last_offset), step.last_offset),
        "log_lines": _greatest(fn.COALESCE(Attempt.log_lines, 0), step.lines),
        "dropped_bytes": _greatest(fn.COALESCE(Attempt.dropped_bytes, 0), step.dropped_bytes),
    }


def _set_attempt(run: str, attempt: int, **columns: Any) -> None:
    Attempt.update(columns).where(_one(run, attempt)).execute()


def _one(run: str, attempt: int) -> Any:
    return (Attempt.run == run) & (Attempt.attempt == attempt)


def _greatest(left: Any, right: Any) -> Any:
    return fn.MAX(left, right) if is_sqlite() else fn.GREATEST(left, right)


def _least(left: Any, right: Any) -> Any:
    return fn.MIN(left, right) if is_sqlite() else fn.LEAST(left, right)

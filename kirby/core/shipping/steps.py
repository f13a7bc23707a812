"""What the lines of a journal become in `.kirby.runs`."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kirby.core.names import Host
from kirby.core.nouns import AttemptEnd, NotStartedReason
from kirby.core.records import (
    Armed,
    Exited,
    FirstLine,
    Logged,
    NotStarted,
    Parked,
    Released,
    Step,
    StopAsked,
)
from kirby.core.shipping.attempt_end import end_of
from kirby.core.shipping.output import instant_of
from kirby.core.shipping.run_folder import Entry, Order

_REASONS = {reason.value: reason for reason in NotStartedReason}


class Teller:
    """Tells the steps of one attempt of one host."""

    def __init__(self, host: Host, order: Order) -> None:
        self._order = order
        self._offset = timedelta(seconds=order.meta.clock_offset_seconds)
        self._who = {
            "run": order.run,
            "attempt": order.attempt,
            "context": order.context,
            "host": host,
            "incarnation": order.incarnation,
        }

    def _of(self, at: datetime) -> dict[str, object]:
        return {**self._who, "at": at}

    def step(self, entry: Entry, journal: Sequence[Entry], tail: tuple[str, ...]) -> Step | None:
        """Return the record of a journal's line; None: it is for the shim alone."""
        of = self._of(instant_of(entry.at_ns) - self._offset)
        meta = self._order.meta
        match entry.step:
            case "armed":
                return Armed(**of, package=meta.package, claimed_at=meta.claimed_at)  # type: ignore[arg-type]
            case "parked":
                return Parked(**of, pid=entry.pid)  # type: ignore[arg-type]
            case "released":
                return Released(**of)  # type: ignore[arg-type]
            case "first_line":
                return FirstLine(**of, late_us=entry.late_us)  # type: ignore[arg-type]
            case "stop_asked":
                return StopAsked(**of, reason=entry.sentence or entry.reason)  # type: ignore[arg-type]
            case "exited":
                return self._exited(of, entry, journal, tail)
            case "not_started":
                why = _REASONS.get(entry.why, NotStartedReason.REFUSED)
                return NotStarted(**of, why=why, reason=entry.sentence)  # type: ignore[arg-type]
            case "lost":
                return Exited(**of, end=AttemptEnd.LOST, reason=entry.sentence, tail=tail)  # type: ignore[arg-type]
        return None

    def _exited(
        self,
        of: dict[str, object],
        entry: Entry,
        journal: Sequence[Entry],
        tail: tuple[str, ...],
    ) -> Exited:
        end, reason = end_of(journal, entry, self._order.meta)
        return Exited(
            **of,  # type: ignore[arg-type]
            end=end,
            reason=reason,
            exit_status=entry.status,
            signal=entry.signal,
            seconds=entry.seconds,
            cpu_seconds=entry.utime + entry.stime,
            peak_memory=entry.maxrss,
            tail=tail,
        )

    def logged(
        self, at: datetime, *, partition: int, first: int, last: int, lines: int, dropped: int
    ) -> Logged:
        """Return where the log stands."""
        return Logged(
            **self._of(at - self._offset),  # type: ignore[arg-type]
            partition=partition,
            first_offset=first,
            last_offset=last,
            lines=lines,
            dropped_bytes=dropped,
        )

    def damaged(self, at: datetime, sentence: str) -> Exited:
        """Return the end of an attempt whose folder cannot be read."""
        return Exited(**self._of(at - self._offset), end=AttemptEnd.LOST, reason=sentence)  # type: ignore[arg-type]

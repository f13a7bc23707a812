"""The output of an attempt, from the batches that stand in the log."""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from kirby.core.errors import NotFound
from kirby.core.records import Line
from kirby.model.database import database
from kirby.model.runs import AttemptView, attempts_of
from kirby.web.parts import LogPlace, Logs

LINES_LIMIT = 5000  # of one answer
WAIT_LIMIT_S = 20
LOOK_EVERY_S = 0.3
WAITING_LIMIT = 8  # requests that wait at a time; each holds one of the service's threads
REMEMBERED = 1000  # attempts of which it is known where their lines stand
BEFORE_FIRST = timedelta(minutes=1)  # a host's clock may be off the broker's

Pause = Callable[[float], None]


@dataclass(frozen=True, kw_only=True)
class LogAnswer:
    """Some lines of an attempt."""

    run: str
    attempt: int
    attempts: int
    lines: list[tuple[int, Line]]
    next: int
    ended: bool

    def shape(self) -> dict[str, Any]:
        """Return what the API answers."""
        return {
            "run": self.run,
            "attempt": self.attempt,
            "attempts": self.attempts,
            "lines": [_line(number, line) for number, line in self.lines],
            "next": self.next,
            "ended": self.ended,
        }


@dataclass(kw_only=True)
class LogView:
    """Reads logs, and remembers where it stopped, so that following one is cheap."""

    logs: Logs
    pause: Pause = time.sleep
    _places: "OrderedDict[tuple[str, int], tuple[int, int]]" = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _waiting: threading.Semaphore = field(
        default_factory=lambda: threading.Semaphore(WAITING_LIMIT)
    )

    def read(self, run: str, attempt: int | None, after: int, wait_s: float) -> LogAnswer:
        """Read the lines after the first `after` ones; wait for some if there are none yet.

        Raises:
            NotFound: nothing is known of the run, or of its attempt.
            KafkaError: the log cannot be read now.
        """
        answer = self._look(run, attempt, after)
        if answer.lines or answer.ended or wait_s <= 0 or not self._waiting.acquire(blocking=False):
            return answer
        try:
            left = min(wait_s, WAIT_LIMIT_S)
            while left > 0 and not answer.lines and not answer.ended:
                database.close()  # others may use it while this one waits
                self.pause(LOOK_EVERY_S)
                database.connect(reuse_if_open=True)
                left -= LOOK_EVERY_S
                answer = self._look(run, attempt, after)
        finally:
            self._waiting.release()
        return answer

    def _look(self, run: str, attempt: int | None, after: int) -> LogAnswer:
        views = attempts_of(run)
        chosen = [each for each in views if attempt in (None, each.attempt)]
        if not chosen:
            what = f"attempt {attempt} of {run}" if attempt is not None else f"a run {run}"
            raise NotFound(f"nothing is known of {what}: see kirby runs")
        view = chosen[-1]
        lines = self._lines(view, after) if _may_have_lines(view) else []
        following = lines[-1][0] + 1 if lines else after
        return LogAnswer(
            run=run,
            attempt=view.attempt,
            attempts=len(views),
            lines=lines,
            next=following,
            ended=view.end is not None and following >= (view.log_lines or 0),
        )

    def _lines(self, view: AttemptView, after: int) -> list[tuple[int, Line]]:
        place = self._place(view, after)
        found: list[tuple[int, Line]] = []
        for offset, batch in self.logs.read(view.run, view.attempt, place).batches:
            for number, line in enumerate(batch.lines, batch.first):
                if number >= after and len(found) < LINES_LIMIT:
                    found.append((number, line))
            if len(found) < LINES_LIMIT:
                self._remember(view, batch.first, offset)
        return found

    def _place(self, view: AttemptView, after: int) -> LogPlace:
        with self._lock:
            line, offset = self._places.get((view.run, view.attempt), (0, -1))
        if view.log_partition is None:
            begun = view.armed or view.released or view.first_line
            return LogPlace(since=begun - BEFORE_FIRST if begun is not None else None, after=after)
        first = view.log_first or 0
        return LogPlace(
            partition=view.log_partition,
            first=max(first, offset) if line <= after else first,
            last=view.log_last if view.end is not None else None,
            after=after,
        )

    def _remember(self, view: AttemptView, line: int, offset: int) -> None:
        with self._lock:
            self._places[view.run, view.attempt] = (line, offset)
            self._places.move_to_end((view.run, view.attempt))
            while len(self._places) > REMEMBERED:
                self._places.popitem(last=False)


def _may_have_lines(view: AttemptView) -> bool:
    begun = view.released is not None or view.first_line is not None
    return begun or view.log_partition is not None or view.armed is not None


def _line(number: int, line: Line) -> dict[str, Any]:
    return {
        "n": number,
        "at": line.at,
        "stream": line.stream,
        "level": line.level,
        "text": line.text,
        "cut": line.cut,
    }

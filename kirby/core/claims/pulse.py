"""When a host's heartbeat is due, and what goes into it (rule L1).

A heartbeat is made only from a list that the living shim gave after this incarnation's hello, and
lists as well what was won when the list was asked for or since. One heartbeat at most is on its
way: a late one would tell old news.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from kirby.core.names import AttemptId, ContextKey
from kirby.core.records import Held, Instance, Phase

PERIOD_SECONDS = 5.0
HURRY_SECONDS = 1.0  # least pause, where something changed
ANSWER_SECONDS = 2.0  # a shim that has not listed by then does not answer
GIVE_UP_SECONDS = 10.0  # a heartbeat of which nothing was heard by then


@dataclass(frozen=True, kw_only=True)
class Question:
    """A list that was asked of the shim, and what happened meanwhile."""

    number: int
    asked: float  # BOOTTIME
    won: frozenset[AttemptId]  # when it was asked for, or since
    taken: frozenset[AttemptId] = frozenset()  # by the shim, since
    done: frozenset[AttemptId] = frozenset()  # ended, since


@dataclass(frozen=True, kw_only=True)
class Posted:
    """A heartbeat that is on its way."""

    number: int
    sent: datetime
    sent_boot: float


@dataclass(frozen=True, kw_only=True)
class Pulse:
    """The heartbeats of one Runner."""

    number: int = 0
    due: float = 0.0  # BOOTTIME of the next one
    last: float = -PERIOD_SECONDS  # BOOTTIME of the last one
    question: Question | None = None
    posted: Posted | None = None
    acknowledged: bool = False  # one was, in this incarnation
    instances: Mapping[ContextKey, Instance] = field(default_factory=dict)
    daemons_read: tuple[int, ...] = ()  # as the Arbiter told last
    daemons_here: tuple[ContextKey, ...] = ()

    def hurry(self, boot: float) -> "Pulse":
        """Have the next one sooner: something changed that others want to know."""
        due = max(boot, self.last + HURRY_SECONDS)
        return replace(self, due=due) if due < self.due else self

    def asks(self, boot: float, won: frozenset[AttemptId]) -> "Pulse":
        """Ask the shim for its list."""
        number = self.number + 1
        question = Question(number=number, asked=boot, won=won)
        return replace(self, number=number, due=boot + PERIOD_SECONDS, question=question)

    def is_due(self, boot: float) -> bool:
        """Whether the shim is to be asked now (again, where it owes an answer for too long)."""
        on_its_way = self.posted is not None and boot < self.posted.sent_boot + GIVE_UP_SECONDS
        asked = self.question is not None and not self.overdue(boot)
        return self.due <= boot and not asked and not on_its_way

    def forget_question(self) -> "Pulse":
        """Expect no answer any more."""
        return replace(self, question=None) if self.question else self

    def overdue(self, boot: float) -> bool:
        """Whether the shim owes an answer for too long."""
        return self.question is not None and boot >= self.question.asked + ANSWER_SECONDS

    def meanwhile(
        self,
        *,
        won: AttemptId | None = None,
        taken: AttemptId | None = None,
        done: AttemptId | None = None,
    ) -> "Pulse":
        """Note what happened between a question and its answer."""
        if self.question is None:
            return self
        question = replace(
            self.question,
            won=self.question.won | {won} if won else self.question.won,
            taken=self.question.taken | {taken} if taken else self.question.taken,
            done=self.question.done | {done} if done else self.question.done,
        )
        return replace(self, question=question)


def held_of(listed: tuple[Held, ...], won: frozenset[AttemptId]) -> tuple[Held, ...]:
    """Return what a heartbeat lists: the shim's attempts, and what was won and is not there."""
    known = {(each.run, each.attempt) for each in listed}
    missing = sorted(each for each in won if (each.run, each.attempt) not in known)
    return (
        *listed,
        *(Held(run=each.run, attempt=each.attempt, phase=Phase.WON) for each in missing),
    )

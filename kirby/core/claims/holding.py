"""What a host answers for: its claims, what it won, what it refuses, and its slots (C2 to C6, L1).

Slots are for scheduled runs and count what runs, is parked, is won, or is claimed and undecided.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import TypeAlias

from kirby.core.names import AttemptId, is_instance
from kirby.core.nouns import LeaderReason, NotStartedReason
from kirby.core.records import Held, NotStarted, Offer, Phase

CLAIM_SECONDS = 3.0  # a claim that is not acknowledged by then holds its slot no longer (C3)
REPEAT_SECONDS = 1.0  # arms, bars and reports are repeated until they are answered
# A claim that nobody ever read back: no deadline is later after an offer, and producers gave up.
FORGET_SECONDS = 4800.0

_LIVING = frozenset({Phase.ARMED, Phase.PARKED, Phase.RELEASING, Phase.RUNNING, Phase.STOPPING})


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """Claimed; the first claim of the attempt was not read yet."""

    offer: Offer
    posted: float  # BOOTTIME
    claimed_at: datetime
    holds_slot: bool
    acknowledged: bool = False


@dataclass(frozen=True, kw_only=True)
class Won:
    """Claimed first, by this Runner; the arm is repeated until the shim answers (C5)."""

    offer: Offer
    claimed_at: datetime
    repeat: float  # BOOTTIME of the next arm
    until: float  # BOOTTIME of the deadline


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """Why an attempt is not to start here."""

    why: NotStartedReason
    sentence: str = ""
    leader: LeaderReason | None = None  # the leader's claim, where that is the reason (C6)


@dataclass(frozen=True, kw_only=True)
class Barring:
    """The shim is asked to bar it until it says that it has, or that it began."""

    refusal: Refusal
    repeat: float


@dataclass(frozen=True, kw_only=True)
class Reporting:
    """Barred; that it never began is on the way to Kafka."""

    report: NotStarted
    repeat: float | None = None  # None: on its way


Mine: TypeAlias = Claimed | Won | Barring | Reporting


@dataclass(frozen=True, kw_only=True)
class Holding:
    """All that a host answers for; every change returns the next one."""

    slots: int
    mine: Mapping[AttemptId, Mine] = field(default_factory=dict)
    live: Mapping[AttemptId, Phase] = field(default_factory=dict)  # scheduled ones in the shim
    free_since: float = float("-inf")  # BOOTTIME of the last change from no slot to one
    look: float = float("inf")  # BOOTTIME from which on something is to be repeated

    @cached_property
    def free(self) -> int:
        """Slots that nothing takes; below zero where a late claim won after all."""
        taken = sum(
            1
            for attempt, mine in self.mine.items()
            if _holds_slot(mine) and attempt not in self.live
        )
        return self.slots - len(self.live) - taken

    @property
    def answered_for(self) -> frozenset[AttemptId]:
        """What was won and is not in the shim's hands: heartbeats list it as well (L1)."""
        return frozenset(
            attempt for attempt, mine in self.mine.items() if not isinstance(mine, Claimed)
        )

    def put(self, attempt: AttemptId, mine: Mine) -> "Holding":
        """Take an attempt up, or further."""
        look = min(self.look, due_at(mine))
        return replace(self, mine={**self.mine, attempt: mine}, look=look)

    def looked(self) -> "Holding":
        """Note that everything due was repeated."""
        look = min(map(due_at, self.mine.values()), default=float("inf"))
        return self if look == self.look else replace(self, look=look)

    def drop(self, attempt: AttemptId) -> "Holding":
        """Answer for an attempt no longer (or leave that to the shim's list)."""
        if attempt not in self.mine:
            return self
        rest = {other: mine for other, mine in self.mine.items() if other != attempt}
        return replace(self, mine=rest)

    def in_shim(self, attempt: AttemptId, phase: Phase) -> "Holding":
        """Leave an attempt to the shim, which has it."""
        holding = self.drop(attempt)
        if phase not in _LIVING or is_instance(attempt.run):
            return holding
        return replace(holding, live={**holding.live, attempt: phase})

    def done(self, attempt: AttemptId) -> "Holding":
        """An attempt ended: its slot is free."""
        if attempt not in self.live:
            return self
        rest = {other: phase for other, phase in self.live.items() if other != attempt}
        return replace(self, live=rest)

    def listed(
        self,
        held: tuple[Held, ...],
        taken_meanwhile: frozenset[AttemptId],
        done_meanwhile: frozenset[AttemptId],
    ) -> "Holding":
        """Believe the shim's list, but for what happened since it was asked for."""
        live = {
            AttemptId(run=each.run, attempt=each.attempt): each.phase
            for each in held
            if each.phase in _LIVING and not is_instance(each.run)
        }
        kept = {
            attempt: phase
            for attempt, phase in self.live.items()
            if attempt in taken_meanwhile and attempt not in live
        }
        whole = {a: phase for a, phase in {**live, **kept}.items() if a not in done_meanwhile}
        return self if whole == self.live else replace(self, live=whole)


def due_at(mine: Mine) -> float:
    """Return the BOOTTIME at which something is to be done about it, if nothing happens."""
    match mine:
        case Claimed() if mine.holds_slot and not mine.acknowledged:
            return mine.posted + CLAIM_SECONDS
        case Claimed():
            return mine.posted + FORGET_SECONDS
        case Won():
            return min(mine.repeat, mine.until)
        case Barring():
            return mine.repeat
        case Reporting():
            return float("inf") if mine.repeat is None else mine.repeat


def _holds_slot(mine: Mine) -> bool:
    match mine:
        case Claimed():
            return mine.holds_slot
        case Won():
            return True
    return False

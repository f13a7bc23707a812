"""The state of a Scheduler: standing by, trying, reading up or leading."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from kirby.core.clock_offset import ClockOffset
from kirby.core.leader import coup
from kirby.core.leader.events import (
    SchedulerEffect,
    StandDown,
)
from kirby.core.leader.ledger import Ledger
from kirby.core.leader.mirror import Mirror
from kirby.core.leader.plan import Timetable
from kirby.core.leader.read_up import ReadUp
from kirby.core.messages import LeadFailure, LeadState, SchedulerState
from kirby.core.moment import Moment
from kirby.core.names import Epoch, Host
from kirby.core.nouns import Definition

# The end of a topic is told 0.1 s after its last record: many hosts seldom leave such a pause.
BEHIND_SECONDS = 3.0

Compile = Callable[[Definition], Timetable | None]


@dataclass(kw_only=True)
class Try:
    """A candidate's way through the gate: the end offset it must read up to (None: asked for)."""

    term: int
    end: int | None = None
    is_becoming: bool = False


@dataclass(kw_only=True)
class Lead:
    """What a leader has in hand, from the epoch it made on."""

    term: int
    epoch: Epoch
    since: datetime
    ledger: Ledger
    mirror: Mirror = field(default_factory=Mirror)
    read_up: ReadUp | None = None  # None: the ends are asked for, or all is read
    is_leading: bool = False
    led: float = 0.0  # BOOTTIME since which all is read
    is_committing: bool = False
    committed: float = 0.0  # BOOTTIME of the last commit
    is_clock_known: bool = False  # a beat of this lead was read back, stamped by the broker
    asked_ends: float = 0.0
    fetched: float | None = None  # BOOTTIME of the last answer of the web service
    is_fetching: bool = False
    # BOOTTIME since which records of hosts came without an end; None: read to the end.
    hosts_behind: float | None = 0.0
    schedule_fault: str = ""

    def hosts_at_end(self, boot: float) -> bool:
        """Tell whether the hosts topic is read to its end, as far as silence can be told (L2)."""
        behind = self.hosts_behind
        return behind is None or boot - behind < BEHIND_SECONDS


@dataclass(kw_only=True)
class Scheduling:
    """The state of a Scheduler."""

    host: Host
    life: int
    compile: Compile
    tail: coup.Tail = field(default_factory=coup.Tail)
    tail_read: int = 0  # next offset of the leadership topic
    clock: ClockOffset = field(default_factory=ClockOffset)
    clock_sampled: float = 0.0  # BOOTTIME of the last beat that told of the clock
    attempt: Try | None = None
    lead: Lead | None = None
    leader: Host | None = None  # as the leadership topic tells
    epoch: Epoch | None = None
    leader_since: datetime | None = None
    confirmed: float = 0.0
    read_ups: int = 0


def scheduler_state(state: Scheduling, now: Moment) -> SchedulerState:
    """Say how this Scheduler stands, for its Supervisor."""
    lead = state.lead
    return SchedulerState(
        state=_lead_state(state),
        confirmed_boot=lead.committed if lead is not None else state.confirmed,
        clock_offset_seconds=state.clock.seconds if state.clock.samples else None,
        silent_seconds=coup.silent_seconds(state.tail, now.boot),
        leader=state.leader,
        epoch=state.epoch,
        since=state.leader_since,
        read_up_completed=state.read_ups,
    )


def _lead_state(state: Scheduling) -> LeadState:
    if state.lead is not None:
        return LeadState.LEADING if state.lead.is_leading else LeadState.READING_UP
    return LeadState.STANDING_BY if state.attempt is None else LeadState.TRYING


def stand_down(
    state: Scheduling, failure: LeadFailure | None, sentence: str
) -> list[SchedulerEffect]:
    """Throw the lead, or the try for it, away."""
    if state.lead is None and state.attempt is None:
        return []
    term = state.lead.term if state.lead is not None else 0
    if state.attempt is not None:
        term = state.attempt.term
    state.lead = state.attempt = None
    return [StandDown(term=term, failure=failure, sentence=sentence)]


def broker_now(state: Scheduling, now: Moment) -> datetime:
    """Return now by the broker's clock."""
    return now.by_broker(state.clock.seconds)

"""What actors tell each other on one host. Hints and commands: what must survive is in Kafka.

Frozen, keyword-only, without slots: an older sender's message then lacks no field here that has a
default. Addresses of actors are whatever the actor library uses; nothing here looks into them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING, Any

from kirby.core.names import (
    AttemptId,
    ContextKey,
    Epoch,
    Host,
    Incarnation,
    StateFolderId,
)
from kirby.core.nouns import AttemptEnd
from kirby.core.records import DaemonOffer, Instance, Offer, Phase

if TYPE_CHECKING:
    from kirby.core.configuration import HostConfiguration

Address = Any


@dataclass(frozen=True, kw_only=True)
class Message:
    """The manner of every message between actors."""


@dataclass(frozen=True, kw_only=True)
class Several(Message):
    """Messages that go to one actor at the same time: one frame is cheaper than many."""

    messages: tuple[Message, ...]


# ---- Supervisor to its children -----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Begin(Message):
    """The first message of every actor: who it works for, and where everything is."""

    configuration: "HostConfiguration"  # with the addresses that the start process found
    state_folder: StateFolderId
    life: int  # of the Supervisor
    started: datetime
    kafka_cluster: str = ""  # the id that the brokers have given it
    runner: Address | None = None
    arbiter: Address | None = None


@dataclass(frozen=True, kw_only=True)
class IncarnationIs(Message):
    """The Runner's incarnation: from the Runner to the Supervisor, from there to all that arm."""

    incarnation: Incarnation
    runner: Address | None = None


@dataclass(frozen=True, kw_only=True)
class ActorMoved(Message):
    """A sibling was created anew."""

    role: str  # runner, arbiter, recorder, scheduler
    address: Address


# ---- election and lead --------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class TakeLead(Message):
    """Supervisor to Scheduler: you are the candidate of this term; try (again each second)."""

    term: int


@dataclass(frozen=True, kw_only=True)
class StandBy(Message):
    """Supervisor to Scheduler: another leads, or should."""

    term: int


class LeadState(Enum):
    """How a Scheduler stands to the lead."""

    STANDING_BY = "standing by"
    TRYING = "trying"  # steps 3 and 4
    READING_UP = "reading up"
    LEADING = "leading"


@dataclass(frozen=True, kw_only=True)
class SchedulerState(Message):
    """Scheduler to Supervisor, at each change and at least twice a second: its view of Kafka."""

    state: LeadState
    confirmed_boot: float  # CLOCK_BOOTTIME seconds of the last answer (leader: of the last commit)
    clock_offset_seconds: float | None  # this host's clock minus the broker's; None: unknown
    silent_seconds: float | None  # since the last beat while reading without a break; None: unknown
    leader: Host | None = None
    epoch: Epoch | None = None
    since: datetime | None = None
    read_up_completed: int = 0  # how often; a rise resets the standing back


class LeadFailure(Enum):
    """Why a candidate did not come to lead."""

    GATE = "another leader beats"
    FENCED = "fenced"
    FAILED = "failed"  # steps 4 to 6: stand back


@dataclass(frozen=True, kw_only=True)
class LeadFailed(Message):
    """Scheduler to Supervisor: it does not lead (any more)."""

    term: int
    failure: LeadFailure
    sentence: str


# ---- watchdogs ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class WatchdogWanted(Message):
    """Runner or Arbiter to Supervisor: who guards this context?"""

    context: ContextKey


@dataclass(frozen=True, kw_only=True)
class WatchdogIs(Message):
    """Supervisor to Runner and Arbiter: this one; also when one was created anew."""

    context: ContextKey
    watchdog: Address


@dataclass(frozen=True, kw_only=True)
class BuildEnvironment(Message):
    """Runner or Arbiter to Watchdog: this package will be needed here."""

    context: ContextKey
    package: str
    source_builds: bool = False
    revision: int = 0  # of the context: a failed build is tried anew after a change


@dataclass(frozen=True, kw_only=True)
class GuardContext(Message):
    """Runner to Watchdog: scripts of this context may be alive here; watch over them."""

    context: ContextKey


@dataclass(frozen=True, kw_only=True)
class EnvironmentIs(Message):
    """Watchdog to Runner and Arbiter: how an environment stands."""

    package: str
    ready: bool
    building: bool = False
    reason: str = ""  # the sentence of a failed build
    temporary: bool = False  # it will be tried again


@dataclass(frozen=True, kw_only=True)
class ArmRun(Message):
    """Runner to Watchdog: arm this attempt in the shim; repeated until it is answered."""

    offer: Offer
    incarnation: Incarnation
    clock_offset_seconds: float  # this host's clock minus the broker's
    claimed_at: datetime


class ArmOutcome(Enum):
    """What came of an arm."""

    HELD = "held"  # by the shim: just taken, or already before
    REFUSED = "refused"
    NO_ANSWER = "no answer"  # the shim is away; the Runner repeats


@dataclass(frozen=True, kw_only=True)
class ArmAnswered(Message):
    """Watchdog to Runner: what the shim said."""

    attempt: AttemptId
    outcome: ArmOutcome
    phase: Phase = Phase.ARMED  # of what the shim holds
    code: str = ""  # the shim's word for a refusal
    sentence: str = ""


@dataclass(frozen=True, kw_only=True)
class AttemptEnded(Message):
    """Watchdog to Runner or Arbiter: the shim told the end of an attempt. A hint."""

    attempt: AttemptId
    end: AttemptEnd
    sentence: str = ""


@dataclass(frozen=True, kw_only=True)
class KeepRunning(Message):
    """Arbiter to Watchdog: this daemon should run here, as the offer says."""

    offer: DaemonOffer
    incarnation: Incarnation


@dataclass(frozen=True, kw_only=True)
class LetGo(Message):
    """Arbiter to Watchdog: this daemon should not run here; stop what runs."""

    context: ContextKey
    incarnation: Incarnation
    reason: str


@dataclass(frozen=True, kw_only=True)
class InstanceIs(Message):
    """Watchdog to Arbiter, Arbiter to Runner (for the heartbeat): how an instance stands."""

    instance: Instance
    gone: bool = False
    answers: KeepRunning | None = None  # what the Watchdog goes by; the Arbiter repeats until then


@dataclass(frozen=True, kw_only=True)
class DaemonsStand(Message):
    """Arbiter to Runner, for the heartbeat: how far it has read, and what that may lead to.

    A daemon that is not among `here` does not run on this host, and will not be started before the
    offers are read further than this.
    """

    read: tuple[int, ...]  # the next offset of each partition of the daemons' offers
    here: tuple[ContextKey, ...]


@dataclass(frozen=True, kw_only=True)
class InstancesAre(Message):
    """Arbiter to Runner, from time to time: all instances, in case that a word was lost."""

    instances: tuple[Instance, ...]


# ---- status -------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class AskStatus(Message):
    """Anyone to the Supervisor, and from there to its children."""


@dataclass(frozen=True, kw_only=True)
class StatusIs(Message):
    """What an actor says of itself: plain JSON values."""

    role: str
    pid: int
    facts: Mapping[str, Any] = field(default_factory=dict)

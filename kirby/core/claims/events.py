"""What a Runner learns: the events of `core.claims.step`. Each is past, and says who told it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias

from kirby.core.names import AttemptId, ContextKey, Host, Incarnation
from kirby.core.nouns import Definition
from kirby.core.records import Claim, Heartbeat, Held, Instance, LeaderClaim, Offer, Phase


@dataclass(frozen=True, kw_only=True)
class Event:
    """The manner of every event."""


# ---- this Runner's own beginning ----------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Began(Event):
    """The Runner begins: nothing is known."""


@dataclass(frozen=True, kw_only=True)
class TicketAcknowledged(Event):
    """Kafka has the ticket: its offset is the incarnation."""

    incarnation: Incarnation
    appended: datetime  # by the broker's clock


@dataclass(frozen=True, kw_only=True)
class TicketFailed(Event):
    """The ticket was not delivered."""


@dataclass(frozen=True, kw_only=True)
class TopicsReadUp(Event):
    """Offers, claims and hosts were read up to end offsets taken after the ticket."""


@dataclass(frozen=True, kw_only=True)
class Ticked(Event):
    """Time passed."""


# ---- the shim -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class ShimReached(Event):
    """A connection to the shim was made; it may be another shim than before."""


@dataclass(frozen=True, kw_only=True)
class ShimLost(Event):
    """The shim does not answer."""


@dataclass(frozen=True, kw_only=True)
class HelloAnswered(Event):
    """The shim has synced this incarnation as the newest."""


@dataclass(frozen=True, kw_only=True)
class Superseded(Event):
    """The shim knows a newer incarnation (rule L5)."""


@dataclass(frozen=True, kw_only=True)
class ShimListed(Event):
    """The shim answered the list of this number: every attempt that has a folder."""

    number: int
    held: tuple[Held, ...]


@dataclass(frozen=True, kw_only=True)
class BarAnswered(Event):
    """The shim barred the attempt, or says how far beyond recall it is."""

    attempt: AttemptId
    phase: Phase | None  # None: barred, for ever


@dataclass(frozen=True, kw_only=True)
class AttemptDone(Event):
    """The attempt ended on this host: its slot is free."""

    attempt: AttemptId


# ---- the Watchdog -------------------------------------------------------------------------------


class Arming(Enum):
    """What came of an arm."""

    HELD = "held"  # by the shim: just taken, or already before
    REFUSED = "refused"
    NO_ANSWER = "no answer"


@dataclass(frozen=True, kw_only=True)
class ArmTold(Event):
    """The Watchdog says what the shim said to the arm."""

    attempt: AttemptId
    outcome: Arming
    phase: Phase = Phase.ARMED  # of what the shim holds
    code: str = ""
    sentence: str = ""


class EnvironmentState(Enum):
    """How an environment stands on this host."""

    BUILDING = "building"
    READY = "ready"
    FAILED = "failed"


@dataclass(frozen=True, kw_only=True)
class EnvironmentTold(Event):
    """A Watchdog says how an environment stands."""

    package: str
    state: EnvironmentState
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class InstanceTold(Event):
    """The Arbiter says how a daemon's instance stands."""

    instance: Instance
    gone: bool = False


@dataclass(frozen=True, kw_only=True)
class DaemonsStood(Event):
    """The Arbiter says how far it has read the daemons' offers, and which daemons may be here."""

    read: tuple[int, ...]
    here: tuple[ContextKey, ...]


@dataclass(frozen=True, kw_only=True)
class InstancesTold(Event):
    """The Arbiter says how all instances of daemons stand; there are no others."""

    instances: tuple[Instance, ...]


# ---- the log ------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class OfferRead(Event):
    """An offer was read."""

    offer: Offer


@dataclass(frozen=True, kw_only=True)
class ClaimRead(Event):
    """A claim was read; those of one attempt come in the order of the log."""

    claim: Claim | LeaderClaim


@dataclass(frozen=True, kw_only=True)
class ClaimAcknowledged(Event):
    """Kafka has this Runner's claim; what it is worth is told by reading it back."""

    attempt: AttemptId


@dataclass(frozen=True, kw_only=True)
class ClaimFailed(Event):
    """The claim was not delivered, as far as anyone can say."""

    attempt: AttemptId


@dataclass(frozen=True, kw_only=True)
class HeartbeatAcknowledged(Event):
    """Kafka has the heartbeat of this number."""

    number: int
    appended: datetime  # by the broker's clock
    acknowledged_boot: float  # BOOTTIME at which that was heard


@dataclass(frozen=True, kw_only=True)
class HeartbeatFailed(Event):
    """The heartbeat of this number was not delivered."""

    number: int


@dataclass(frozen=True, kw_only=True)
class NotStartedAcknowledged(Event):
    """Kafka has the report that the attempt never began."""

    attempt: AttemptId


@dataclass(frozen=True, kw_only=True)
class NotStartedFailed(Event):
    """That report was not delivered."""

    attempt: AttemptId


@dataclass(frozen=True, kw_only=True)
class HostHeard(Event):
    """A host's heartbeat was read."""

    heartbeat: Heartbeat


@dataclass(frozen=True, kw_only=True)
class ScheduleRead(Event):
    """The mirror of the schedule tells a context, or that it is gone."""

    context: ContextKey
    definition: Definition | None


@dataclass(frozen=True, kw_only=True)
class DrainRead(Event):
    """The mirror tells that a host is being taken out, or no longer."""

    host: Host
    draining: bool


AnyEvent: TypeAlias = (
    Began
    | TicketAcknowledged
    | TicketFailed
    | TopicsReadUp
    | Ticked
    | ShimReached
    | ShimLost
    | HelloAnswered
    | Superseded
    | ShimListed
    | BarAnswered
    | AttemptDone
    | ArmTold
    | EnvironmentTold
    | InstanceTold
    | DaemonsStood
    | InstancesTold
    | OfferRead
    | ClaimRead
    | ClaimAcknowledged
    | ClaimFailed
    | HeartbeatAcknowledged
    | HeartbeatFailed
    | NotStartedAcknowledged
    | NotStartedFailed
    | HostHeard
    | ScheduleRead
    | DrainRead
)

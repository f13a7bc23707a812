"""What a Runner is to do: the effects of `core.claims`, each an order that its shell performs."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from kirby.core.names import AttemptId, ContextKey, Incarnation
from kirby.core.nouns import LeaderReason
from kirby.core.records import Claim, Heartbeat, NotStarted, Offer, Ticket


@dataclass(frozen=True, kw_only=True)
class Effect:
    """The manner of every effect."""


@dataclass(frozen=True, kw_only=True)
class PostTicket(Effect):
    """Write the ticket; answer with `TicketAcknowledged` or `TicketFailed`."""

    ticket: Ticket


@dataclass(frozen=True, kw_only=True)
class SayHello(Effect):
    """Tell the shim the incarnation; answer with `HelloAnswered`, `Superseded` or `ShimLost`."""

    incarnation: Incarnation


@dataclass(frozen=True, kw_only=True)
class TellIncarnation(Effect):
    """Tell the Supervisor, who hands it to all that arm."""

    incarnation: Incarnation


@dataclass(frozen=True, kw_only=True)
class ReadTopics(Effect):
    """Read offers and claims from these instants on (of the broker's clock), hosts as a whole.

    Take end offsets now; answer with `TopicsReadUp` when all three were read up to them.
    """

    offers_since: datetime
    claims_since: datetime


@dataclass(frozen=True, kw_only=True)
class AskList(Effect):
    """Ask the shim what it holds; answer with `ShimListed` of this number, or `ShimLost`."""

    number: int


@dataclass(frozen=True, kw_only=True)
class PostHeartbeat(Effect):
    """Write the heartbeat; answer with `HeartbeatAcknowledged` or `HeartbeatFailed`."""

    number: int
    heartbeat: Heartbeat


@dataclass(frozen=True, kw_only=True)
class RenewLease(Effect):
    """Renew the host's lease with the shim."""

    ends_boot: float


@dataclass(frozen=True, kw_only=True)
class PostClaim(Effect):
    """Write a claim; answer with `ClaimAcknowledged` or `ClaimFailed`."""

    claim: Claim


@dataclass(frozen=True, kw_only=True)
class Arm(Effect):
    """Have the context's Watchdog arm the attempt; answer with `ArmTold`."""

    offer: Offer
    clock_offset_seconds: float  # this host's clock minus the broker's
    claimed_at: datetime


@dataclass(frozen=True, kw_only=True)
class Bar(Effect):
    """Have the shim bar the attempt; answer with `BarAnswered` (nothing while it is `full`)."""

    attempt: AttemptId
    sentence: str = ""  # why


@dataclass(frozen=True, kw_only=True)
class Stop(Effect):
    """Have the shim stop an attempt that was released."""

    attempt: AttemptId
    reason: LeaderReason
    sentence: str = ""


@dataclass(frozen=True, kw_only=True)
class PostNotStarted(Effect):
    """Report the attempt; answer with `NotStartedAcknowledged` or `NotStartedFailed`."""

    report: NotStarted


@dataclass(frozen=True, kw_only=True)
class BuildAhead(Effect):
    """Have the context's Watchdog see to the environment; answer with `EnvironmentTold`."""

    context: ContextKey
    package: str
    source_builds: bool
    revision: int


@dataclass(frozen=True, kw_only=True)
class EndNow(Effect):
    """End this Runner at once (rule L5)."""

    sentence: str


AnyEffect: TypeAlias = (
    PostTicket
    | SayHello
    | TellIncarnation
    | ReadTopics
    | AskList
    | PostHeartbeat
    | RenewLease
    | PostClaim
    | Arm
    | Bar
    | Stop
    | PostNotStarted
    | BuildAhead
    | EndNow
)

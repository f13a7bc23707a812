"""What the leader asks for: attempts, daemons."""

from datetime import datetime

from kirby.core.names import (
    ContextKey,
    Epoch,
    FencingToken,
    Host,
    RunId,
)
from kirby.core.nouns import (
    Noun,
    RunPlan,
)
from kirby.core.records.record import Record


class Offer(Record, frozen=True, kw_only=True, tag="offer"):
    """Asks for a host to run an attempt. Key: run id."""

    run: RunId
    attempt: int
    context: ContextKey
    epoch: Epoch
    token: FencingToken
    due: datetime
    not_before: datetime  # the due instant, or the end of a back-off
    deadline: datetime  # the last instant at which it may begin
    hosts: tuple[Host, ...] = ()  # in the leader's order of preference
    plan: RunPlan


class Edition(Noun, frozen=True, kw_only=True):
    """What an instance of a daemon is to run, and the hosts that run it for now."""

    plan: RunPlan
    generation: int = 0
    hosts: tuple[Host, ...] = ()


class Watch(Noun, frozen=True, kw_only=True):
    """The host that has an edition since a moment ago, and has to prove it."""

    host: Host
    attempt: int = 0  # the life that is being watched; 0: none was seen yet
    first: int = 0  # the first one that was seen
    until: datetime | None = None  # None: it does not run yet, or not any more


class RollOut(Noun, frozen=True, kw_only=True):
    """How far a new edition has come, host by host."""

    began: datetime
    back: Edition  # what is gone back to if it fails
    watch: Watch | None = None


class Refused(Noun, frozen=True, kw_only=True):
    """An edition that failed; it is not tried again until the definition changes."""

    edition: str  # its name, see core.guarding.fitting
    package: str
    at: datetime
    reason: str


class DaemonOffer(Record, frozen=True, kw_only=True, tag="daemon"):
    """A daemon that should run, and where. Key: context; a tombstone stops it."""

    context: ContextKey
    epoch: Epoch
    hosts: tuple[Host, ...]  # it should run there
    leaving: tuple[Host, ...] = ()  # it must end there; other hosts wait for that
    generation: int = 0  # raised by a restart; an instance of a lower one is replaced
    plan: RunPlan
    earlier: tuple[Edition, ...] = ()  # what some of the hosts go on with until it is their turn
    roll_out: RollOut | None = None
    refused: Refused | None = None
    at: datetime | None = None  # when it was decided

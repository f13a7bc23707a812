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


class DaemonOffer(Record, frozen=True, kw_only=True, tag="daemon"):
    """A daemon that should run, and where. Key: context; a tombstone stops it."""

    context: ContextKey
    epoch: Epoch
    hosts: tuple[Host, ...]  # it should run there
    leaving: tuple[Host, ...] = ()  # it must end there; other hosts wait for that
    generation: int = 0  # raised by a restart; an instance of a lower one is replaced
    plan: RunPlan

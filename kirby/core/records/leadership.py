"""Who leads, what is to be done, and how far the leader has come."""

from datetime import datetime
from typing import TypeAlias

from kirby.core.names import (
    ContextKey,
    Epoch,
    FencingToken,
    Host,
    Incarnation,
    RunId,
    StateFolderId,
)
from kirby.core.nouns import (
    Definition,
    LeaderReason,
    Noun,
)
from kirby.core.records.record import Record


class Leadership(Record, frozen=True, kw_only=True, tag="leadership"):
    """Makes an epoch: its offset is the epoch's number. Key: `leader`."""

    host: Host
    life: int
    at: datetime


class Beat(Record, frozen=True, kw_only=True, tag="beat"):
    """The leader leads; part of each of its transactions. Key: `leader`."""

    host: Host
    epoch: Epoch
    at: datetime
    since: datetime


class Mirrored(Record, frozen=True, kw_only=True, tag="context"):
    """A context as the web service gave it. Key: context; a tombstone where it is gone."""

    definition: Definition


class Drained(Record, frozen=True, kw_only=True, tag="drained"):
    """A host that is being taken out. Key: `#<host>`."""

    host: Host


Offsets: TypeAlias = tuple[int, ...]  # the next offset of each partition


class OpenFire(Noun, frozen=True, kw_only=True):
    """A fire without an end, as the cursor keeps it for the next leader."""

    run: RunId
    attempt: int  # the last one offered; 0: none yet
    due: datetime
    token: FencingToken
    not_before: datetime
    deadline: datetime
    spent: int = 0  # attempts of the policy that are used up
    offered: bool = True  # False: waits (for its back-off, or for a predecessor)
    package: str = ""
    asked_by: str = ""
    manual: bool = False
    refused: tuple[Host, ...] = ()  # who refused, last to be named (rule E3)
    refusals: int = 0
    holder: Host | None = None
    holder_incarnation: Incarnation | None = None
    holder_folder: StateFolderId | None = None
    stop_asked: str = ""  # who asked
    leader_claim: LeaderReason | None = None
    withdrawn: bool = False  # the leader's claim was read back as the first
    last_reason: str = ""  # of the attempt before


class Cursor(Record, frozen=True, kw_only=True, tag="cursor"):
    """How far the leader has come with a context. Key: context. Never deleted."""

    context: ContextKey
    considered: datetime  # every fire up to here, this instant included, was decided
    revision: int
    definition: Definition | None  # as it was considered; None: gone
    token: FencingToken
    generation: int = 0
    open: tuple[OpenFire, ...] = ()
    by_hand: tuple[RunId, ...] = ()  # the latest runs asked for by hand that have ended
    claims: Offsets = ()  # the oldest offsets that the open fires need
    runs: Offsets = ()
    requests: Offsets  # the next to consume of each partition; a successor takes the highest
    written: datetime

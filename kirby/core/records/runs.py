"""What becomes of runs: steps that hosts tell, ends that the leader decides."""

from datetime import datetime

from kirby.core.names import (
    ContextKey,
    Epoch,
    FencingToken,
    Host,
    Incarnation,
    RunId,
)
from kirby.core.nouns import (
    AttemptEnd,
    LeaderReason,
    NotStartedReason,
    RunEnd,
)
from kirby.core.records.record import Record


class Step(Record, frozen=True, kw_only=True):
    """A step of an attempt, told by its host; idempotent by (run, attempt, type). Key: run."""

    run: str
    attempt: int
    context: ContextKey
    host: Host
    incarnation: Incarnation
    at: datetime  # by the host's clock, corrected by its offset


class Armed(Step, frozen=True, kw_only=True, tag="armed"):
    """The shim has taken the attempt."""

    package: str = ""
    claimed_at: datetime | None = None


class Parked(Step, frozen=True, kw_only=True, tag="parked"):
    """Its interpreter waits at the gate."""

    pid: int


class Released(Step, frozen=True, kw_only=True, tag="released"):
    """It was let go."""


class FirstLine(Step, frozen=True, kw_only=True, tag="first-line"):
    """The gate handed the interpreter to the script."""

    late_us: int  # from not-before to this moment


class StopAsked(Step, frozen=True, kw_only=True, tag="stop-asked"):
    """SIGTERM was sent."""

    reason: str


class Exited(Step, frozen=True, kw_only=True, tag="exited"):
    """The attempt ended after it had begun."""

    end: AttemptEnd
    reason: str = (
        ""  # a sentence: "exit status 3", "killed by SIGSEGV", "over its time limit of 2 min"
    )
    exit_status: int | None = None
    signal: int | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    tail: tuple[str, ...] = ()  # the last lines of its output, redacted


class NotStarted(Step, frozen=True, kw_only=True, tag="not-started"):
    """The attempt never began (rules C5, E3)."""

    why: NotStartedReason
    reason: str = ""
    leader_reason: LeaderReason | None = None


class Logged(Step, frozen=True, kw_only=True, tag="logged"):
    """Where the log stands: its partition, and the offsets of its first and last batch."""

    partition: int
    first_offset: int
    last_offset: int
    lines: int
    dropped_bytes: int = 0


class Offered(Record, frozen=True, kw_only=True, tag="offered"):
    """An attempt was offered, in the same transaction as its offer. Key: run."""

    run: RunId
    attempt: int
    context: ContextKey
    epoch: Epoch
    token: FencingToken
    due: datetime
    not_before: datetime
    deadline: datetime
    at: datetime
    package: str
    asked_by: str = ""  # of a run asked for by hand


class Ended(Record, frozen=True, kw_only=True, tag="ended"):
    """The end of a fire; the first one stands (rule E1). Key: run."""

    run: RunId
    context: ContextKey
    due: datetime
    end: RunEnd
    reason: str
    attempts: int
    epoch: Epoch
    at: datetime


class Stretch(Record, frozen=True, kw_only=True, tag="stretch"):
    """A stretch of fires with one end and one reason. Key: run id of the first."""

    context: ContextKey
    end: RunEnd
    reason: str
    first: datetime
    last: datetime
    count: int
    epoch: Epoch
    at: datetime

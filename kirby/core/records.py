"""What stands in Kafka: one struct for each kind of record, and which topic holds which.

Records are JSON with a tag (`type`) and a version. A reader of a later version finds defaults for
what an older one did not write; a reader of an older version passes over fields it does not know.
What cannot be decoded raises `Unreadable`, and the shell sends it to the dead-letter topic.
"""

from datetime import datetime
from enum import Enum
from typing import TypeAlias

import msgspec

from kirby.core.errors import Unreadable
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
    AttemptEnd,
    Definition,
    LeaderReason,
    NotStartedReason,
    Noun,
    RunEnd,
    RunPlan,
)

VERSION = 1


class TopicName(Enum):
    """The internal topics, without the prefix of the installation (`.kirby.` by default)."""

    OFFERS = "job-offers.scheduled"
    DAEMONS = "job-offers.daemon"
    CLAIMS = "claims"
    HOSTS = "hosts"
    REQUESTS = "requests"
    RUNS = "runs"
    LOGS = "logs"
    LEADERSHIP = "leadership"
    SCHEDULE = "schedule"
    CURSOR = "cursor"
    DEAD_LETTERS = "dead-letters"


class Record(Noun, frozen=True, kw_only=True, tag_field="type"):
    """The manner of every record."""

    v: int = VERSION


# ---- offers -------------------------------------------------------------------------------------


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
    hosts: tuple[Host, ...]
    generation: int = 0  # raised by a restart; an instance of a lower one is replaced
    plan: RunPlan


# ---- claims -------------------------------------------------------------------------------------


class Claim(Record, frozen=True, kw_only=True, tag="claim"):
    """A Runner takes an attempt. The first claim of an attempt in the log wins. Key: run id."""

    run: RunId
    attempt: int
    host: Host
    incarnation: Incarnation
    state_folder: StateFolderId


class LeaderClaim(Record, frozen=True, kw_only=True, tag="leader-claim"):
    """The leader withdraws an attempt, or stops it (rule C6). Key: run id."""

    run: RunId
    attempt: int
    epoch: Epoch
    reason: LeaderReason
    asked_by: str = ""


# ---- hosts --------------------------------------------------------------------------------------


class Phase(Enum):
    """How far an attempt has come on its host."""

    WON = "won"  # claimed first, not armed yet
    ARMED = "armed"  # taken by the shim; its interpreter may be starting
    PARKED = "parked"
    RELEASING = "releasing"  # synced to be released; counts as begun
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"  # its end is not acknowledged by Kafka yet


class Held(Noun, frozen=True, kw_only=True):
    """An attempt that a host answers for."""

    run: str
    attempt: int
    phase: Phase
    since: datetime | None = None


class BuildState(Enum):
    """How an environment stands on a host."""

    BUILDING = "building"
    FAILED = "failed"


class Build(Noun, frozen=True, kw_only=True):
    """An environment that a host is building or failed to build."""

    package: str
    state: BuildState
    reason: str = ""


class InstanceState(Enum):
    """What a host does about a daemon that belongs on it."""

    STARTING = "starting"
    RUNNING = "running"
    BACKING_OFF = "backing off"
    CRASH_LOOP = "crash loop"
    STOPPING = "stopping"
    NOT_INSTALLED = "not installed"


class Instance(Noun, frozen=True, kw_only=True):
    """A daemon's instance as its Watchdog sees it."""

    context: ContextKey
    state: InstanceState
    attempt: int = 0
    generation: int = 0
    package: str = ""
    since: datetime | None = None
    restarts: int = 0
    reason: str = ""
    memory: int = 0  # bytes of the whole tree


class Ticket(Record, frozen=True, kw_only=True, tag="ticket"):
    """Begins an incarnation: its offset is the incarnation's number. Key: `<host>/ticket`."""

    host: Host
    state_folder: StateFolderId


class Heartbeat(Record, frozen=True, kw_only=True, tag="heartbeat"):
    """One host lives, and holds these attempts: the lease of all its runs. Key: host."""

    host: Host
    incarnation: Incarnation
    state_folder: StateFolderId
    sent: datetime
    started: datetime
    version: str
    address: str = ""
    slots: int
    free_slots: int
    held: tuple[Held, ...] = ()
    builds: tuple[Build, ...] = ()
    instances: tuple[Instance, ...] = ()
    clock_offset_ms: float = 0.0
    draining: bool = False


class Probe(Record, frozen=True, kw_only=True, tag="probe"):
    """The leader's proof that the hosts topic can be written and read (rule L2). Key: `#probe`."""

    epoch: Epoch
    sent: datetime


# ---- requests -----------------------------------------------------------------------------------


class RunRequest(Record, frozen=True, kw_only=True, tag="run"):
    """A person asks for a run now; `run` was drawn by the web service. Key: context."""

    context: ContextKey
    run: RunId
    asked_by: str
    at: datetime
    revision: int = 0  # of the context, as whoever asked has seen it


class StopRequest(Record, frozen=True, kw_only=True, tag="stop"):
    """A person asks for the end of a run. Key: context."""

    context: ContextKey
    run: RunId
    asked_by: str
    at: datetime


class RestartRequest(Record, frozen=True, kw_only=True, tag="restart"):
    """A person asks for new instances of a daemon. Key: context."""

    context: ContextKey
    asked_by: str
    at: datetime


# ---- runs: what the hosts tell ------------------------------------------------------------------


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


# ---- runs: what the leader decides --------------------------------------------------------------


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


# ---- logs ---------------------------------------------------------------------------------------


class Stream(Enum):
    """Where a line came from."""

    OUT = "out"
    ERR = "err"
    LOG = "log"
    KIRBY = "kirby"  # a note of Kirby's own: what was cut or dropped


class Line(Noun, frozen=True, kw_only=True):
    """One line of an attempt's output, redacted."""

    at: datetime
    stream: Stream
    text: str
    level: str = ""
    cut: bool = False


class Lines(Record, frozen=True, kw_only=True, tag="lines"):
    """A batch of lines in order. Key: run id or instance id."""

    run: str
    attempt: int
    host: Host
    first: int  # number of the first line, from 0
    lines: tuple[Line, ...]


# ---- leadership, schedule, cursor ---------------------------------------------------------------


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
    claims: Offsets = ()  # the oldest offsets that the open fires need
    runs: Offsets = ()
    requests: Offsets  # the next to consume of each partition; a successor takes the highest
    written: datetime


class DeadLetter(Record, frozen=True, kw_only=True, tag="dead-letter"):
    """A record that could not be read. Key: topic."""

    topic: str
    partition: int
    offset: int
    reason: str
    value: str  # base64
    at: datetime


RunRecord: TypeAlias = (
    Armed
    | Parked
    | Released
    | FirstLine
    | StopAsked
    | Exited
    | NotStarted
    | Logged
    | Offered
    | Ended
    | Stretch
)
HostRecord: TypeAlias = Ticket | Heartbeat | Probe
RequestRecord: TypeAlias = RunRequest | StopRequest | RestartRequest
AnyRecord: TypeAlias = (
    Offer
    | DaemonOffer
    | Claim
    | LeaderClaim
    | HostRecord
    | RequestRecord
    | RunRecord
    | Lines
    | Leadership
    | Beat
    | Mirrored
    | Drained
    | Cursor
    | DeadLetter
)

_KINDS: dict[TopicName, object] = {
    TopicName.OFFERS: Offer,
    TopicName.DAEMONS: DaemonOffer,
    TopicName.CLAIMS: Claim | LeaderClaim,
    TopicName.HOSTS: HostRecord,
    TopicName.REQUESTS: RequestRecord,
    TopicName.RUNS: RunRecord,
    TopicName.LOGS: Lines,
    TopicName.LEADERSHIP: Leadership | Beat,
    TopicName.SCHEDULE: Mirrored | Drained,
    TopicName.CURSOR: Cursor,
    TopicName.DEAD_LETTERS: DeadLetter,
}
_DECODERS = {topic: msgspec.json.Decoder(kind) for topic, kind in _KINDS.items()}
_ENCODER = msgspec.json.Encoder()


def encode(record: AnyRecord) -> bytes:
    """Write a record as JSON."""
    return _ENCODER.encode(record)


def decode(topic: TopicName, value: bytes) -> AnyRecord:
    """Read a record of a topic.

    Raises:
        Unreadable: it is not JSON, has another shape, or a version that is not known here.
    """
    try:
        record: AnyRecord = _DECODERS[topic].decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Unreadable(f"a record of {topic.value} cannot be read: {fault}") from fault
    if record.v > VERSION:
        raise Unreadable(
            f"a record of {topic.value} has version {record.v}; this Kirby reads up to {VERSION}: "
            "update this host"
        )
    return record

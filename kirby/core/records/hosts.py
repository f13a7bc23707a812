"""What hosts tell of themselves: that they live, and what they hold."""

from datetime import datetime
from enum import Enum

from kirby.core.names import (
    ContextKey,
    Epoch,
    Host,
    Incarnation,
    StateFolderId,
)
from kirby.core.nouns import (
    Noun,
)
from kirby.core.records.record import Record


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
    edition: str = ""  # of what runs, see core.guarding.fitting; empty: nothing does
    wanted: str = ""  # the edition that should run
    failed: str = ""  # why that one cannot, and never will by itself
    in_a_row: int = 0  # short lives of it, one after the other
    last_end: str = ""  # how the last life ended


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
    # How far the host has read the offers of daemons (the next offset of each partition; empty:
    # that is not known yet), and all daemons that by these may run or start on it.
    daemons_read: tuple[int, ...] = ()
    daemons_here: tuple[ContextKey, ...] = ()


class Probe(Record, frozen=True, kw_only=True, tag="probe"):
    """The leader's proof that the hosts topic can be written and read (rule L2). Key: `#probe`."""

    epoch: Epoch
    sent: datetime

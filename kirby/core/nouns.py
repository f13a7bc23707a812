"""What Kirby speaks of: definitions of contexts, their policies, what a run is made of, its end.

These travel as JSON between web service, Kafka and hosts, so they are msgspec structs: frozen,
keyword-only, with defaults for every field that a later version adds. Instants are aware and in
UTC; durations are `timedelta`; sizes are bytes.
"""

from datetime import datetime, timedelta
from enum import Enum
from typing import Literal

import msgspec

from kirby.core.names import ContextKey, Host, split_context

Hosts = Literal["all"] | int | tuple[Host, ...]


class Noun(msgspec.Struct, frozen=True, kw_only=True):
    """The manner of every struct here."""


class JobKind(Enum):
    """Whether a job runs when it is due, or all the time."""

    SCHEDULED = "scheduled"
    DAEMON = "daemon"


class CatchUp(Enum):
    """What happens with the fires that were due while nobody fired."""

    NONE = "none"
    LATEST = "latest"
    ALL = "all"


class Overlap(Enum):
    """What happens with a fire while an earlier run of its context is open."""

    ALLOW = "allow"
    FORBID = "forbid"


class Lost(Enum):
    """What happens with a run whose host was lost."""

    FAIL = "fail"
    RETRY = "retry"


class RunEnd(Enum):
    """How a fire ends; a leader writes exactly one for each."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    LOST = "lost"
    MISSED = "missed"
    SKIPPED = "skipped"


class AttemptEnd(Enum):
    """How an attempt ends, as a host reports it."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"  # a status other than zero, a signal, or over a limit of memory
    TIMED_OUT = "timed out"
    STOPPED = "stopped"
    LOST = "lost"  # begun, and nobody can tell its status
    NOT_STARTED = "not started"


class NotStartedReason(Enum):
    """Why a host did not start an attempt that it had won."""

    WITHDRAWN = "withdrawn"  # the leader's own claim
    DEADLINE = "deadline passed"
    INSTALLATION = "cannot be installed"
    NO_ROOM = "no room"  # a full disk, no memory, no process
    INTERRUPTED = "interrupted"  # armed, never released: the shim or the host was restarted
    REFUSED = "refused"


class LeaderReason(Enum):
    """Why the leader claims an attempt itself (rule C6)."""

    MISSED = "missed"
    SUSPENDED = "suspended"
    DISABLED = "disabled"
    DELETED = "deleted"
    STOPPED = "stopped"
    REPLACED = "replaced"

    @property
    def stops(self) -> bool:
        """Whether a run that was already released is stopped, too."""
        return self in (LeaderReason.STOPPED, LeaderReason.REPLACED)


class CronLine(Noun, frozen=True, kw_only=True):
    """One schedule of a context: five fields, or six with the seconds first; an IANA time zone."""

    cron: str
    zone: str = "UTC"


class Suspension(Noun, frozen=True, kw_only=True):
    """A window, start included and end not, in which a context does not fire."""

    start: datetime
    end: datetime
    reason: str = ""


class Policies(Noun, frozen=True, kw_only=True):
    """What a context lays down for its runs. Each has one meaning and one default."""

    catch_up: CatchUp = CatchUp.LATEST
    start_window: timedelta | None = None  # None: half the way to the next fire, 30 s to 5 min
    overlap: Overlap = Overlap.ALLOW
    exclusive: bool = False  # bound to the lease of its host: rather dead than twice
    time_limit: timedelta | None = None
    attempts: int = 1
    back_off: timedelta = timedelta(seconds=10)
    back_off_limit: timedelta = timedelta(minutes=10)
    lost: Lost = Lost.FAIL
    grace: timedelta = timedelta(seconds=10)  # between SIGTERM and SIGKILL
    memory_limit: int | None = None  # bytes of the whole tree
    output_limit: int = 50_000_000  # bytes kept of an attempt
    prestart: bool = True  # parked ahead of the due instant
    source_builds: bool = False


class Variable(Noun, frozen=True, kw_only=True):
    """A value that a script finds in its environment: plain, or sealed if it is secret."""

    name: str
    value: str  # sealed: the base64 of the authenticated encryption, see kirby.host.seal
    sealed: bool = False


class Definition(Noun, frozen=True, kw_only=True):
    """All there is to know of a context: what `GET /schedule` gives and the mirror keeps."""

    context: ContextKey
    kind: JobKind
    package: str  # name==version
    about: str = ""
    schedules: tuple[CronLine, ...] = ()
    suspensions: tuple[Suspension, ...] = ()
    absences: tuple[Suspension, ...] = ()  # it was disabled or deleted: its fires are skipped
    policies: Policies = Policies()
    variables: tuple[Variable, ...] = ()
    topic_prefix: str = ""
    hosts: Hosts = "all"  # daemons: where they belong
    enabled: bool = True
    held: bool = False  # daemons: stopped by hand
    revision: int = 0  # of the last change that touched this context

    @property
    def group(self) -> str:
        """Return the consumer group that all runs of the context share."""
        job, environment = split_context(self.context)
        return f"{environment}.{job}"


class Schedule(Noun, frozen=True, kw_only=True):
    """The answer of `GET /schedule`: everything, or what changed since a revision."""

    revision: int
    contexts: tuple[Definition, ...] = ()
    gone: tuple[ContextKey, ...] = ()  # disabled or deleted since
    drained: tuple[Host, ...] = ()
    whole: bool = True  # False: only what changed since the revision that was asked for


class RunPlan(Noun, frozen=True, kw_only=True):
    """All that a host needs to run an attempt; secrets stay sealed."""

    context: ContextKey
    package: str
    variables: tuple[Variable, ...] = ()
    topic_prefix: str = ""
    group: str = ""
    time_limit: timedelta | None = None
    grace: timedelta = timedelta(seconds=10)
    memory_limit: int | None = None
    output_limit: int = 50_000_000
    prestart: bool = True
    exclusive: bool = False
    source_builds: bool = False
    revision: int = 0


def plan_of(definition: Definition) -> RunPlan:
    """Take from a definition what a host needs to run it."""
    policies = definition.policies
    return RunPlan(
        context=definition.context,
        package=definition.package,
        variables=definition.variables,
        topic_prefix=definition.topic_prefix,
        group=definition.group,
        time_limit=policies.time_limit,
        grace=policies.grace,
        memory_limit=policies.memory_limit,
        output_limit=policies.output_limit,
        prestart=policies.prestart,
        exclusive=policies.exclusive,
        source_builds=policies.source_builds,
        revision=definition.revision,
    )

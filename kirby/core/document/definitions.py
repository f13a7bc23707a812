"""What a document wants, and what is stored: jobs, contexts, variables, suspensions, topics.

Both are of the same classes, so that their difference can be computed and shown. Where a document
is silent and silence means "leave it as it is", the field is None.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import NewType

from kirby.core.names import ContextKey
from kirby.core.nouns import CronLine, Hosts, JobKind, Policies

Path = NewType("Path", str)  # where in the document: dotted, with numbers for places in lists

DEFAULT_POLICIES = Policies()


class SecretState(Enum):
    """What is known of a variable's value."""

    PLAIN = "plain"
    SECRET = "secret"  # the value is here, and must not be shown
    KEPT = "kept"  # a secret that the document leaves as it is stored


@dataclass(frozen=True, kw_only=True)
class SetVariable:
    """A variable of one scope."""

    name: str
    value: str = field(repr=False)
    secret: SecretState = SecretState.PLAIN
    path: Path = Path("")


@dataclass(frozen=True, kw_only=True)
class SetContext:
    """A job in an environment."""

    key: ContextKey
    package: str | None = None  # None: the job's
    schedules: tuple[CronLine, ...] = ()
    policies: Policies = DEFAULT_POLICIES
    hosts: Hosts = "all"
    enabled: bool | None = None  # None: as it is
    variables: Mapping[str, SetVariable] = field(default_factory=dict)
    path: Path = Path("")


@dataclass(frozen=True, kw_only=True)
class SetJob:
    """A job with its contexts."""

    name: str
    kind: JobKind = JobKind.SCHEDULED
    about: str = ""
    package: str | None = None
    variables: Mapping[str, SetVariable] = field(default_factory=dict)
    contexts: Mapping[ContextKey, SetContext] = field(default_factory=dict)
    path: Path = Path("")


@dataclass(frozen=True, kw_only=True)
class SetEnvironment:
    """An environment and the prefix of its topics."""

    name: str
    prefix: str
    about: str = ""
    path: Path = Path("")


@dataclass(frozen=True, kw_only=True)
class SetSuspension:
    """A window in which a context does not fire."""

    context: ContextKey
    start: datetime
    end: datetime
    reason: str = ""
    by_document: bool = True
    path: Path = Path("")

    @property
    def key(self) -> tuple[ContextKey, datetime, datetime]:
        """Return what tells it from others."""
        return self.context, self.start, self.end


@dataclass(frozen=True, kw_only=True)
class SetTopic:
    """A topic that is created when the document is applied."""

    name: str
    partitions: int
    path: Path = Path("")


@dataclass(frozen=True, kw_only=True)
class Definitions:
    """All of it."""

    environments: Mapping[str, SetEnvironment] = field(default_factory=dict)
    jobs: Mapping[str, SetJob] = field(default_factory=dict)
    variables: Mapping[str, SetVariable] = field(default_factory=dict)
    suspensions: tuple[SetSuspension, ...] = ()
    topics: Mapping[str, SetTopic] = field(default_factory=dict)

    def contexts(self) -> dict[ContextKey, SetContext]:
        """Return the contexts of all jobs."""
        return {key: each for job in self.jobs.values() for key, each in job.contexts.items()}

    def package_of(self, context: SetContext) -> str | None:
        """Return the package that a context runs: its own, else its job's."""
        job = self.jobs.get(context.key.partition("/")[0])
        return context.package or (job.package if job is not None else None)

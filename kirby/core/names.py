"""What things are called: jobs, environments, hosts, contexts, runs, instances, attempts.

A key is a plain string with a type of its own, so that it can be a dictionary key, a Kafka key
and a JSON value without conversion. The functions here are the only place that takes one apart.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NewType

from kirby.core.errors import InvalidName

JobName = NewType("JobName", str)
EnvironmentName = NewType("EnvironmentName", str)
Host = NewType("Host", str)
ContextKey = NewType("ContextKey", str)  # <job>/<env>
RunId = NewType("RunId", str)  # <job>/<env>@<due, UTC>, with ~<suffix> when asked for by hand
InstanceId = NewType("InstanceId", str)  # <job>/<env>#<host>
Incarnation = NewType("Incarnation", int)  # the offset of a Runner's ticket
Epoch = NewType("Epoch", int)  # the offset of a leadership record
FencingToken = NewType("FencingToken", int)
StateFolderId = NewType("StateFolderId", str)

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
DUE_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True, order=True)
class AttemptId:
    """One try of a run, or one life of a daemon instance; `run` is then the instance id."""

    run: str
    attempt: int

    def __str__(self) -> str:
        return f"{self.run} attempt {self.attempt}"


def check_name(kind: str, text: str) -> str:
    """Return `text` if it may name a `kind` (job, environment, host).

    Raises:
        InvalidName: with the rule.
    """
    if NAME.fullmatch(text):
        return text
    raise InvalidName(
        f'{kind} name "{text}": use 1 to 63 of a-z, 0-9, "_" and "-", '
        "beginning with a letter or digit",
        field=kind,
    )


def context_key(job: str, environment: str) -> ContextKey:
    """Name the context of a job in an environment."""
    return ContextKey(f"{job}/{environment}")


def split_context(context: ContextKey) -> tuple[JobName, EnvironmentName]:
    """Take a context's key apart."""
    job, _, environment = context.partition("/")
    return JobName(job), EnvironmentName(environment)


def run_id(context: ContextKey, due: datetime) -> RunId:
    """Name the run of a due instant: never a host, and never the time of the decision."""
    return RunId(f"{context}@{due.astimezone(UTC).strftime(DUE_FORMAT)}")


def manual_run_id(context: ContextKey, asked: datetime, suffix: str) -> RunId:
    """Name a run that a person asked for; the web service draws the suffix."""
    return RunId(f"{run_id(context, asked)}~{suffix}")


def instance_id(context: ContextKey, host: Host) -> InstanceId:
    """Name a daemon's instance on a host."""
    return InstanceId(f"{context}#{host}")


def is_instance(run: str) -> bool:
    """Tell a daemon's instance id from a run id."""
    return "#" in run


def context_of(run: str) -> ContextKey:
    """Return the context of a run id or an instance id."""
    return ContextKey(re.split("[@#]", run, maxsplit=1)[0])


def due_of(run: RunId) -> datetime:
    """Return the due instant of a run id (of a manual run: when it was asked for)."""
    stamp = run.partition("@")[2].partition("~")[0]
    return datetime.strptime(stamp, DUE_FORMAT).replace(tzinfo=UTC)

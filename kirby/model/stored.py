"""What is stored, in the classes of a document, so that the two can be compared."""

from collections import defaultdict
from typing import Any, Protocol

from kirby.core.document.definitions import (
    Definitions,
    SecretState,
    SetContext,
    SetEnvironment,
    SetJob,
    SetSuspension,
    SetTopic,
    SetVariable,
)
from kirby.core.names import ContextKey
from kirby.core.nouns import CronLine
from kirby.model.definitions import (
    ConfigKey,
    Context,
    CronRow,
    Environment,
    External,
    ExternalKind,
    Job,
    Scope,
    Script,
    SuspensionRow,
)
from kirby.model.schedule import cron_line, hosts_of, policies_of

Variables = dict[str, SetVariable]


class Sealer(Protocol):
    """Seals and opens secrets; the cluster's key does."""

    def seal(self, text: str) -> str:
        """Encrypt and authenticate a secret."""

    def open(self, sealed: str) -> str:
        """Return what was sealed."""


def stored_definitions(sealer: Sealer) -> Definitions:
    """Read everything that a document can define; secrets are opened, to be compared."""
    everywhere, of_job, of_context = _variables(sealer)
    packages = {row.id: row.requirement for row in Script.select()}
    contexts = _contexts(packages, of_context)
    return Definitions(
        environments={
            row.name: SetEnvironment(name=row.name, prefix=row.topic_prefix, about=row.about)
            for row in Environment.select().order_by(Environment.name)
        },
        jobs={
            row.name: SetJob(
                name=row.name,
                kind=row.kind,
                about=row.about,
                package=packages.get(row.script_id),
                variables=of_job[row.name],
                contexts=contexts[row.name],
            )
            for row in Job.select().order_by(Job.name)
        },
        variables=everywhere,
        suspensions=_suspensions(),
        topics=_topics(),
    )


def _contexts(
    packages: dict[int, str], variables: dict[str, Variables]
) -> dict[str, dict[ContextKey, SetContext]]:
    schedules: dict[str, list[CronLine]] = defaultdict(list)
    for row in CronRow.select().order_by(CronRow.context, CronRow.position):
        schedules[row.context_id].append(cron_line(row))
    found: dict[str, dict[ContextKey, SetContext]] = defaultdict(dict)
    for row in Context.select().order_by(Context.key):
        key = ContextKey(row.key)
        found[row.job_id][key] = SetContext(
            key=key,
            package=packages.get(row.script_id),
            schedules=tuple(schedules[key]),
            policies=policies_of(row),
            hosts=hosts_of(row),
            enabled=bool(row.enabled),
            variables=variables[key],
        )
    return found


def _variables(
    sealer: Sealer,
) -> tuple[Variables, dict[str, Variables], dict[str, Variables]]:
    everywhere: Variables = {}
    of_job: dict[str, Variables] = defaultdict(dict)
    of_context: dict[str, Variables] = defaultdict(dict)
    for row in ConfigKey.select().order_by(ConfigKey.name):
        match row.scope:
            case Scope.GLOBAL:
                everywhere[row.name] = _variable(row, sealer)
            case Scope.JOB:
                of_job[row.job_id][row.name] = _variable(row, sealer)
            case Scope.CONTEXT:
                of_context[row.context_id][row.name] = _variable(row, sealer)
    return everywhere, of_job, of_context


def _variable(row: Any, sealer: Sealer) -> SetVariable:
    if not row.sealed:
        return SetVariable(name=row.name, value=row.value)
    return SetVariable(name=row.name, value=sealer.open(row.value), secret=SecretState.SECRET)


def _suspensions() -> tuple[SetSuspension, ...]:
    rows = SuspensionRow.select().order_by(SuspensionRow.start, SuspensionRow.context)
    return tuple(
        SetSuspension(
            context=ContextKey(row.context_id),
            start=row.start,
            end=row.end,
            reason=row.reason,
            by_document=bool(row.by_document),
        )
        for row in rows
    )


def _topics() -> dict[str, SetTopic]:
    declared = (External.kind == ExternalKind.TOPIC) & External.partitions.is_null(False)
    return {
        row.name: SetTopic(name=row.name, partitions=row.partitions)
        for row in External.select().where(declared).order_by(External.name)
    }

"""To write what a document says into the tables, inside the transaction of its caller."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from kirby.core.document.definitions import (
    Definitions,
    SecretState,
    SetContext,
    SetJob,
    SetSuspension,
    SetVariable,
)
from kirby.core.document.difference import KEPT_ENVIRONMENTS, doomed_suspensions
from kirby.core.names import split_context
from kirby.core.nouns import CronLine, Policies
from kirby.model.contexts import close_absence, delete_context, delete_job, open_absence
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
from kirby.model.stored import Sealer
from kirby.model.upsert import put

FIELDS = ("second", "minute", "hour", "day", "month", "weekday")


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes definitions over the stored ones."""

    stored: Definitions
    sealer: Sealer
    by: str
    now: datetime
    revision: int

    def write(self, wanted: Definitions) -> None:
        """Write all that is wanted; leave what is not named."""
        for each in wanted.environments.values():
            columns = {"name": each.name, "topic_prefix": each.prefix, "about": each.about}
            put(Environment, Environment.name, columns)
        for name, topic in wanted.topics.items():
            external, _ = External.get_or_create(kind=ExternalKind.TOPIC, name=name)
            External.update(partitions=topic.partitions).where(External.id == external.id).execute()
        for variable in wanted.variables.values():
            self._variable(variable, self.stored.variables.get(variable.name), {})
        for job in wanted.jobs.values():
            self._job(job)
        for suspension in wanted.suspensions:
            self._suspension(suspension)

    def prune(self, wanted: Definitions) -> None:
        """Delete what is not wanted."""
        for name, job in self.stored.jobs.items():
            if name not in wanted.jobs:
                delete_job(name, self.now, self.revision)
                continue
            for key in job.contexts.keys() - wanted.jobs[name].contexts.keys():
                delete_context(key, self.now, self.revision)
        self._prune_variables(wanted)
        for each in doomed_suspensions(self.stored, wanted):
            SuspensionRow.delete().where(_same_window(each)).execute()
        doomed = self.stored.environments.keys() - wanted.environments.keys() - KEPT_ENVIRONMENTS
        Environment.delete().where(Environment.name.in_(sorted(doomed))).execute()
        undeclared = sorted(self.stored.topics.keys() - wanted.topics.keys())
        External.update(partitions=None).where(
            (External.kind == ExternalKind.TOPIC) & External.name.in_(undeclared)
        ).execute()

    def _job(self, job: SetJob) -> None:
        columns = {
            "name": job.name,
            "kind": job.kind,
            "about": job.about,
            "script": _script(job.package),
        }
        put(Job, Job.name, columns)
        before = self.stored.jobs.get(job.name)
        for variable in job.variables.values():
            old = before.variables.get(variable.name) if before is not None else None
            self._variable(variable, old, {"job": job.name})
        for context in job.contexts.values():
            self._context(context, before.contexts.get(context.key) if before is not None else None)

    def _context(self, context: SetContext, before: SetContext | None) -> None:
        columns = self._columns(context)
        if before is None:
            enabled = context.enabled is not False
            Context.create(**columns, enabled=enabled, held=False, revision=self.revision)
            self._absence(context, enabled)
        else:
            if context.enabled is not None and context.enabled != before.enabled:
                columns["enabled"] = context.enabled
                self._absence(context, context.enabled)
            Context.update(columns).where(Context.key == context.key).execute()
        if before is None or before.schedules != context.schedules:
            self._schedules(context)
        for variable in context.variables.values():
            old = before.variables.get(variable.name) if before is not None else None
            self._variable(variable, old, {"context": context.key})

    def _columns(self, context: SetContext) -> dict[str, Any]:
        job, environment = split_context(context.key)
        hosts = context.hosts
        return {
            "key": context.key,
            "job": job,
            "environment": environment,
            "script": _script(context.package),
            "hosts_count": hosts if isinstance(hosts, int) else None,
            "hosts_named": list(hosts) if isinstance(hosts, tuple) else None,
            **{name: getattr(context.policies, name) for name in Policies.__struct_fields__},
        }

    def _absence(self, context: SetContext, enabled: bool) -> None:
        if enabled:
            close_absence(context.key, self.now)
        else:
            open_absence(context.key, self.now, self.revision)

    def _schedules(self, context: SetContext) -> None:
        CronRow.delete().where(CronRow.context == context.key).execute()
        for position, line in enumerate(context.schedules):
            CronRow.create(context=context.key, position=position, **cron_fields(line))

    def _variable(
        self, variable: SetVariable, old: SetVariable | None, owner: dict[str, str]
    ) -> None:
        if variable.secret is SecretState.KEPT or _unchanged(variable, old):
            return
        secret = variable.secret is SecretState.SECRET
        ConfigKey.delete().where(_scoped(owner) & (ConfigKey.name == variable.name)).execute()
        ConfigKey.create(
            scope=_scope(owner),
            **owner,
            name=variable.name,
            value=self.sealer.seal(variable.value) if secret else variable.value,
            sealed=secret,
        )

    def _prune_variables(self, wanted: Definitions) -> None:
        _delete_variables({}, self.stored.variables.keys() - wanted.variables.keys())
        for name, job in wanted.jobs.items():
            before = self.stored.jobs.get(name)
            if before is None:
                continue
            _delete_variables({"job": name}, before.variables.keys() - job.variables.keys())
            for key, context in job.contexts.items():
                if key in before.contexts:
                    gone = before.contexts[key].variables.keys() - context.variables.keys()
                    _delete_variables({"context": key}, gone)

    def _suspension(self, each: SetSuspension) -> None:
        updated = SuspensionRow.update(reason=each.reason).where(_same_window(each)).execute()
        if not updated:
            SuspensionRow.create(
                context=each.context,
                start=each.start,
                end=each.end,
                reason=each.reason,
                by=self.by,
                by_document=True,
                made=self.now,
            )


def cron_fields(line: CronLine) -> dict[str, str]:
    """Take a schedule apart into the columns of its fields."""
    fields = line.cron.split()
    names = FIELDS[-len(fields) :]
    return {**dict(zip(names, fields, strict=True)), "zone": line.zone}


def _script(package: str | None) -> Any:
    if package is None:
        return None
    name, _, version = package.partition("==")
    return Script.get_or_create(name=name, version=version)[0]


def _unchanged(variable: SetVariable, old: SetVariable | None) -> bool:
    return old is not None and (old.value, old.secret) == (variable.value, variable.secret)


def _scope(owner: dict[str, str]) -> Scope:
    if "job" in owner:
        return Scope.JOB
    return Scope.CONTEXT if "context" in owner else Scope.GLOBAL


def _scoped(owner: dict[str, str]) -> Any:
    condition: Any = ConfigKey.scope == _scope(owner)
    for column, value in owner.items():
        condition &= getattr(ConfigKey, column) == value
    return condition


def _delete_variables(owner: dict[str, str], names: Any) -> None:
    ConfigKey.delete().where(_scoped(owner) & ConfigKey.name.in_(sorted(names))).execute()


def _same_window(each: SetSuspension) -> Any:
    return (
        (SuspensionRow.context == each.context)
        & (SuspensionRow.start == each.start)
        & (SuspensionRow.end == each.end)
    )

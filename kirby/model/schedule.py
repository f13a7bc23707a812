"""What is to be run, as the core's nouns: all of it, or what changed since a revision."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from peewee import JOIN

from kirby.core.errors import NotFound
from kirby.core.names import ContextKey, Host, split_context
from kirby.core.nouns import (
    CronLine,
    Definition,
    Hosts,
    Policies,
    Schedule,
    Suspension,
    Variable,
)
from kirby.core.variables import merge_scopes
from kirby.model.definitions import (
    Absence,
    ConfigKey,
    Context,
    CronRow,
    Environment,
    Job,
    Scope,
    Script,
    SuspensionRow,
)
from kirby.model.drains import drained_hosts
from kirby.model.revisions import current_revision

PAST_KEPT = timedelta(days=90)  # an outage longer than the retention has other troubles
POLICY_FIELDS = Policies.__struct_fields__


def schedule_since(since: int | None, now: datetime) -> Schedule | None:
    """Return every enabled context, or what changed since a revision; None: nothing did.

    Args:
        since: the revision that the asker has; None, or one that this database never had: all.
        now: for leaving out suspensions and absences of long ago.
    """
    revision = current_revision()
    if since is None or since > revision:
        enabled = definitions(now, Context.enabled == True)  # noqa: E712 - an SQL expression
        return Schedule(revision=revision, contexts=enabled, drained=drained_hosts())
    if since == revision:
        return None
    changed = definitions(now, Context.revision > since)
    disabled = {each.context for each in changed if not each.enabled}
    return Schedule(
        revision=revision,
        contexts=tuple(each for each in changed if each.enabled),
        gone=tuple(sorted(disabled | _deleted_since(since))),
        drained=drained_hosts(),
        whole=False,
    )


def definition_of(context: ContextKey, now: datetime) -> Definition:
    """Return one context, enabled or not.

    Raises:
        NotFound: there is none of this name.
    """
    found = definitions(now, Context.key == context)
    if not found:
        raise NotFound(f'there is no context "{context}": see kirby jobs')
    return found[0]


def definitions(now: datetime, *where: Any) -> tuple[Definition, ...]:
    """Return the contexts that fit all conditions, ordered by name."""
    rows = _context_rows(where)
    details = _details([ContextKey(row.key) for row in rows], now)
    return tuple(_definition(row, details) for row in rows)


def variables_of(context: ContextKey, now: datetime) -> tuple[Variable, ...]:
    """Return what a context's scripts find in their environment; secrets stay sealed."""
    return definition_of(context, now).variables


def _context_rows(where: tuple[Any, ...]) -> list[Any]:
    own, jobs = Script.alias(), Script.alias()
    query = (
        Context.select(Context, Job, Environment, own, jobs)
        .join(Job)
        .join(jobs, JOIN.LEFT_OUTER, on=(Job.script == jobs.id), attr="loaded_script")
        .switch(Context)
        .join(Environment)
        .switch(Context)
        .join(own, JOIN.LEFT_OUTER, on=(Context.script == own.id), attr="loaded_script")
        .order_by(Context.key)
    )
    for condition in where:
        query = query.where(condition)
    return list(query)


@dataclass(kw_only=True)
class _Details:
    """The rows below contexts, fetched for all of them at once."""

    schedules: Mapping[str, list[CronLine]]
    suspensions: Mapping[str, list[Suspension]]
    absences: Mapping[str, list[Suspension]]
    everywhere: Mapping[str, Variable]
    of_job: Mapping[str, dict[str, Variable]] = field(default_factory=dict)
    of_context: Mapping[str, dict[str, Variable]] = field(default_factory=dict)

    def variables(self, job: str, context: str) -> tuple[Variable, ...]:
        """Merge the scopes: the narrower one wins."""
        return merge_scopes(
            self.everywhere, self.of_job.get(job, {}), self.of_context.get(context, {})
        )


def _details(keys: list[ContextKey], now: datetime) -> _Details:
    few = keys if len(keys) <= 500 else None  # more: fetch the tables whole
    return _Details(
        schedules=_schedules(few),
        suspensions=_suspensions(few, now),
        absences=_absences(few, now),
        **_variables(few),
    )


def _among(query: Any, column: Any, few: list[ContextKey] | None) -> Any:
    return query if few is None else query.where(column.in_(few))


def _schedules(few: list[ContextKey] | None) -> dict[str, list[CronLine]]:
    found: dict[str, list[CronLine]] = defaultdict(list)
    query = _among(CronRow.select(), CronRow.context, few)
    for row in query.order_by(CronRow.context, CronRow.position):
        found[row.context_id].append(cron_line(row))
    return found


def cron_line(row: Any) -> CronLine:
    """Put a schedule together from its fields."""
    fields = [row.second, row.minute, row.hour, row.day, row.month, row.weekday]
    return CronLine(cron=" ".join(each for each in fields if each), zone=row.zone)


def _suspensions(few: list[ContextKey] | None, now: datetime) -> dict[str, list[Suspension]]:
    found: dict[str, list[Suspension]] = defaultdict(list)
    query = SuspensionRow.select().where(SuspensionRow.end > now - PAST_KEPT)
    for row in _among(query, SuspensionRow.context, few).order_by(SuspensionRow.start):
        window = Suspension(start=row.start, end=row.end, reason=row.reason)
        found[row.context_id].append(window)
    return found


def _absences(few: list[ContextKey] | None, now: datetime) -> dict[str, list[Suspension]]:
    """Return closed absences; a context with an open one is not in the schedule."""
    found: dict[str, list[Suspension]] = defaultdict(list)
    query = Absence.select().where(Absence.end > now - PAST_KEPT)
    for row in _among(query, Absence.context, few).order_by(Absence.start):
        reason = "deleted" if row.deleted else "disabled"
        found[row.context].append(Suspension(start=row.start, end=row.end, reason=reason))
    return found


def _variables(few: list[ContextKey] | None) -> dict[str, Any]:
    everywhere: dict[str, Variable] = {}
    of_job: dict[str, dict[str, Variable]] = defaultdict(dict)
    of_context: dict[str, dict[str, Variable]] = defaultdict(dict)
    for row in _among_variables(few):
        variable = Variable(name=row.name, value=row.value, sealed=row.sealed)
        match row.scope:
            case Scope.GLOBAL:
                everywhere[row.name] = variable
            case Scope.JOB:
                of_job[row.job_id][row.name] = variable
            case Scope.CONTEXT:
                of_context[row.context_id][row.name] = variable
    return {"everywhere": everywhere, "of_job": of_job, "of_context": of_context}


def _among_variables(few: list[ContextKey] | None) -> Any:
    query = ConfigKey.select()
    if few is None:
        return query
    jobs = {split_context(context)[0] for context in few}
    wide = ConfigKey.scope == Scope.GLOBAL
    return query.where(wide | ConfigKey.job.in_(sorted(jobs)) | ConfigKey.context.in_(few))


def _definition(row: Any, details: _Details) -> Definition:
    script = getattr(row, "loaded_script", None) or getattr(row.job, "loaded_script", None)
    return Definition(
        context=ContextKey(row.key),
        kind=row.job.kind,
        package=script.requirement if script is not None else "",
        about=row.job.about,
        schedules=tuple(details.schedules.get(row.key, ())),
        suspensions=tuple(details.suspensions.get(row.key, ())),
        absences=tuple(details.absences.get(row.key, ())),
        policies=policies_of(row),
        variables=details.variables(row.job_id, row.key),
        topic_prefix=row.environment.topic_prefix,
        hosts=hosts_of(row),
        enabled=bool(row.enabled),
        held=bool(row.held),
        revision=row.revision,
    )


def policies_of(row: Any) -> Policies:
    """Return what a context's row lays down for its runs."""
    return Policies(**{name: getattr(row, name) for name in POLICY_FIELDS})


def hosts_of(row: Any) -> Hosts:
    """Return where a daemon belongs."""
    if row.hosts_named is not None:
        return tuple(Host(name) for name in row.hosts_named)
    return "all" if row.hosts_count is None else int(row.hosts_count)


def _deleted_since(since: int) -> set[ContextKey]:
    gone: Iterable[Any] = Absence.select().where(
        Absence.end.is_null() & (Absence.deleted == True) & (Absence.revision > since)  # noqa: E712
    )
    return {ContextKey(row.context) for row in gone}

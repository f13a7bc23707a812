"""A document written from what is stored; applied again, it changes nothing.

Secrets are not in it: they are written as `{ keep = true }`.
"""

from typing import Any

from kirby.core.document.definitions import (
    DEFAULT_POLICIES,
    Definitions,
    SecretState,
    SetContext,
    SetEnvironment,
    SetJob,
    SetVariable,
)
from kirby.core.document.difference import KEPT_ENVIRONMENTS
from kirby.core.document.difference_shown import shown_policy
from kirby.core.document.variables import KEEP
from kirby.core.nouns import CronLine, JobKind, Policies

PLAIN_POLICIES = frozenset({"attempts", "exclusive", "prestart", "source_builds"})


def export(stored: Definitions) -> dict[str, Any]:
    """Return the document as plain data."""
    tables = {
        "environment": {
            name: _environment(each)
            for name, each in stored.environments.items()
            if name not in KEPT_ENVIRONMENTS or each.about
        },
        **_variables(stored.variables.values()),
        "topic": {name: {"partitions": each.partitions} for name, each in stored.topics.items()},
        "job": {name: _job(job) for name, job in stored.jobs.items()},
        "suspension": [
            {
                "context": each.context,
                "from": each.start.isoformat(),
                "to": each.end.isoformat(),
                **({"reason": each.reason} if each.reason else {}),
            }
            for each in stored.suspensions
        ],
    }
    return {name: table for name, table in tables.items() if table}


def _environment(each: SetEnvironment) -> dict[str, Any]:
    prefix = {"prefix": each.prefix} if each.prefix else {}
    return prefix | ({"about": each.about} if each.about else {})


def _job(job: SetJob) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if job.about:
        found["about"] = job.about
    if job.kind is not JobKind.SCHEDULED:
        found["kind"] = job.kind.value
    if job.package is not None:
        found["package"] = job.package
    found |= _variables(job.variables.values())
    for key, context in job.contexts.items():
        found[key.partition("/")[2]] = _context(context)
    return found


def _context(context: SetContext) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if context.package is not None:
        found["package"] = context.package
    if context.schedules:
        lines = [_schedule(line) for line in context.schedules]
        found["schedule"] = lines[0] if len(lines) == 1 else lines
    if context.hosts != "all":
        found["hosts"] = list(context.hosts) if isinstance(context.hosts, tuple) else context.hosts
    if context.enabled is False:
        found["enabled"] = False
    return found | _policies(context.policies) | _variables(context.variables.values())


def _schedule(line: CronLine) -> Any:
    return line.cron if line.zone == "UTC" else {"cron": line.cron, "zone": line.zone}


def _policies(policies: Policies) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name in Policies.__struct_fields__:
        value = getattr(policies, name)
        if value != getattr(DEFAULT_POLICIES, name):
            found[name] = value if name in PLAIN_POLICIES else shown_policy(name, value)
    return found


def _variables(variables: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {}
    secret: dict[str, Any] = {}
    each: SetVariable
    for each in variables:
        if each.secret is SecretState.PLAIN:
            plain[each.name] = each.value
        else:
            secret[each.name] = dict(KEEP)
    tables = {"set": plain, "secret": secret}
    return {name: table for name, table in tables.items() if table}

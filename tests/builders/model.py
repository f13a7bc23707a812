"""Contexts in a database."""

from datetime import UTC, datetime, timedelta

from kirby.core.names import ContextKey
from kirby.core.nouns import JobKind
from kirby.model.definitions import Context, CronRow, Job, Script
from kirby.model.revisions import next_revision

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PUMP = ContextKey("pump/prod")


def a_context(
    key: str = "pump/prod",
    cron: str = "*/10 * * * *",
    package: str = "pump==1.0",
    kind: JobKind = JobKind.SCHEDULED,
) -> ContextKey:
    """Put a context with one schedule of five fields into the database."""
    job, environment = key.split("/")
    name, version = package.split("==")
    script, _ = Script.get_or_create(name=name, version=version)
    Job.get_or_create(name=job, defaults={"kind": kind, "script": script})
    Context.create(
        key=key,
        job=job,
        environment=environment,
        back_off=timedelta(seconds=10),
        back_off_limit=timedelta(minutes=10),
        grace=timedelta(seconds=10),
        output_limit=50_000_000,
        revision=next_revision(),
    )
    if kind is JobKind.SCHEDULED:
        fields = dict(zip(("minute", "hour", "day", "month", "weekday"), cron.split(), strict=True))
        CronRow.create(context=key, position=0, zone="UTC", **fields)
    return ContextKey(key)

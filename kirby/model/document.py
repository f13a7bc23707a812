"""Documents: planned, applied in one transaction, exported."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from peewee import fn

from kirby.core.document.checks import Lacks, check_document
from kirby.core.document.definitions import Definitions
from kirby.core.document.difference import Prune, Situation, difference
from kirby.core.document.difference_variables import Change
from kirby.core.document.export import export
from kirby.core.document.reading import read_document
from kirby.core.errors import Conflict
from kirby.core.names import ContextKey
from kirby.core.nouns import Definition
from kirby.model.database import writing
from kirby.model.definitions import Context, Environment
from kirby.model.document_writing import Writer
from kirby.model.happenings import DaemonInstance
from kirby.model.revisions import current_revision, next_revision, touch
from kirby.model.schedule import definitions
from kirby.model.stored import Sealer, stored_definitions


@dataclass(frozen=True, kw_only=True)
class Document:
    """A document that somebody wants applied."""

    data: Mapping[str, Any]
    prune: Prune = Prune.KEEP
    by: str = ""
    revision: int | None = None  # that the plan was made at; None: whatever is stored now


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a document changes, and the revision that this was computed at."""

    changes: list[Change]
    revision: int
    topics: Mapping[str, int]  # that must be there, with their environments' prefixes


def plan_document(document: Document, sealer: Sealer, lacks: Lacks, now: datetime) -> Plan:
    """Tell what a document would change; change nothing.

    Raises:
        InvalidDocument: with every fault.
    """
    return _plan(document, sealer, lacks, now)[0]


def apply_document(document: Document, sealer: Sealer, lacks: Lacks, now: datetime) -> Plan:
    """Change what is stored to what a document says, all or nothing; again, nothing.

    Raises:
        InvalidDocument: with every fault.
        Conflict: something was changed since the plan was made.
    """
    with writing():
        if document.revision is not None and document.revision != current_revision():
            raise Conflict("the definitions were changed since this plan was shown: apply again")
        plan, stored, wanted = _plan(document, sealer, lacks, now)
        if not plan.changes:
            return plan
        before = _by_context(now)
        revision = next_revision()
        writer = Writer(stored=stored, sealer=sealer, by=document.by, now=now, revision=revision)
        writer.write(wanted)
        if document.prune is Prune.DELETE:
            writer.prune(wanted)
        touch(_changed(before, _by_context(now)), revision)
    return Plan(changes=plan.changes, revision=revision, topics=plan.topics)


def export_document(sealer: Sealer) -> dict[str, Any]:
    """Return a document that changes nothing when it is applied."""
    return export(stored_definitions(sealer))


def _plan(
    document: Document, sealer: Sealer, lacks: Lacks, now: datetime
) -> tuple[Plan, Definitions, Definitions]:
    revision = current_revision()
    known = {row.name for row in Environment.select(Environment.name)}
    wanted = read_document(document.data, known)
    stored = stored_definitions(sealer)
    check_document(stored, wanted, lacks)
    situation = Situation(now=now, instances=_instances())
    changes = difference(stored, wanted, document.prune, situation)
    return (
        Plan(changes=changes, revision=revision, topics=_topics(stored, wanted)),
        stored,
        wanted,
    )


def _instances() -> dict[ContextKey, int]:
    query = DaemonInstance.select(
        DaemonInstance.context, fn.COUNT(DaemonInstance.id).alias("count")
    ).group_by(DaemonInstance.context)
    return {ContextKey(row["context"]): row["count"] for row in query.dicts()}


def _topics(stored: Definitions, wanted: Definitions) -> dict[str, int]:
    """Name the topics of a document in each environment that has contexts."""
    environments = {**stored.environments, **wanted.environments}
    used = {
        key.partition("/")[2] for key in stored.contexts().keys() | wanted.contexts().keys()
    } or {"prod"}
    return {
        environments[environment].prefix + name: topic.partitions
        for name, topic in wanted.topics.items()
        for environment in sorted(used)
    }


def _by_context(now: datetime) -> dict[ContextKey, Definition]:
    return {each.context: each for each in definitions(now, Context.key.is_null(False))}


def _changed(
    before: Mapping[ContextKey, Definition], after: Mapping[ContextKey, Definition]
) -> list[ContextKey]:
    return [context for context, each in after.items() if each != before.get(context)]

"""What applying a document would change, as lines for a person to read before they say yes.

Computed from what is stored and what is wanted, both as `Definitions`; the same two always give
the same changes, and none when nothing differs.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from kirby.core.document.definitions import Definitions, SetJob, SetSuspension
from kirby.core.document.difference_contexts import created, differing
from kirby.core.document.difference_notes import Notes
from kirby.core.document.difference_variables import Change, Sign, compare_variables
from kirby.core.names import ContextKey

KEPT_ENVIRONMENTS = frozenset({"prod", "dev", "test"})  # they are there from the start


class Prune(Enum):
    """What happens with what the document does not name."""

    KEEP = "keep"
    DELETE = "delete"


@dataclass(frozen=True, kw_only=True)
class Situation:
    """What else a difference is told with."""

    now: datetime
    instances: Mapping[ContextKey, int] = field(default_factory=dict)  # of daemons, that run now


def difference(
    stored: Definitions, wanted: Definitions, prune: Prune, situation: Situation
) -> list[Change]:
    """Return the changes, in the order in which a person looks for them."""
    notes = Notes(now=situation.now, instances=situation.instances)
    changes = [
        *_environments(stored, wanted),
        *compare_variables("all jobs", stored.variables, wanted.variables),
        *_jobs(stored, wanted, notes),
        *_topics(stored, wanted),
        *_suspensions(stored, wanted, notes),
    ]
    if prune is Prune.DELETE:
        changes += _pruned(stored, wanted)
    return changes


def _environments(stored: Definitions, wanted: Definitions) -> Iterator[Change]:
    for name, each in wanted.environments.items():
        before = stored.environments.get(name)
        what = f"environment {name}"
        if before is None:
            yield Change(sign=Sign.NEW, what=what, field="prefix", after=each.prefix)
            continue
        if before.prefix != each.prefix:
            yield Change(
                sign=Sign.CHANGED,
                what=what,
                field="prefix",
                before=before.prefix,
                after=each.prefix,
                note="its scripts read and write other topics",
            )
        if before.about != each.about:
            yield Change(
                sign=Sign.CHANGED, what=what, field="about", before=before.about, after=each.about
            )


def _jobs(stored: Definitions, wanted: Definitions, notes: Notes) -> Iterator[Change]:
    for name, job in wanted.jobs.items():
        before = stored.jobs.get(name)
        if before is None:
            yield Change(
                sign=Sign.NEW,
                what=name,
                field=f"{job.kind.value} job",
                after=job.about,
                note=job.package or "",
            )
            before = SetJob(name=name, kind=job.kind, about=job.about, package=job.package)
        yield from _job(before, job)
        yield from compare_variables(name, before.variables, job.variables)
        for key, context in job.contexts.items():
            old = before.contexts.get(key)
            if old is None:
                yield created(context, wanted, notes)
                yield from compare_variables(key, {}, context.variables)
            else:
                yield from differing(old, context, stored, wanted, notes)
                yield from compare_variables(key, old.variables, context.variables)


def _job(before: SetJob, job: SetJob) -> Iterator[Change]:
    shown = {
        "kind": (before.kind.value, job.kind.value),
        "about": (before.about, job.about),
        "package": (before.package or "", job.package or ""),
    }
    for name, (old, new) in shown.items():
        if old != new:
            sign = Sign.CHANGED if old else Sign.NEW
            yield Change(sign=sign, what=job.name, field=name, before=old, after=new)


def _topics(stored: Definitions, wanted: Definitions) -> Iterator[Change]:
    for name, topic in wanted.topics.items():
        if name not in stored.topics:
            yield Change(
                sign=Sign.NEW,
                what=f"topic {name}",
                field="partitions",
                after=str(topic.partitions),
            )


def _suspensions(stored: Definitions, wanted: Definitions, notes: Notes) -> Iterator[Change]:
    there = {each.key: each for each in stored.suspensions}
    for each in wanted.suspensions:
        before = there.get(each.key)
        if before is None:
            yield Change(
                sign=Sign.NEW,
                what="suspension",
                field=each.context,
                after=notes.window(each),
                note=notes.suspended(each, wanted, stored),
            )
        elif before.reason != each.reason:
            yield Change(
                sign=Sign.CHANGED,
                what="suspension",
                field="reason",
                before=before.reason,
                after=each.reason,
            )


def _pruned(stored: Definitions, wanted: Definitions) -> Iterator[Change]:
    for name, job in stored.jobs.items():
        if name not in wanted.jobs:
            yield Change(sign=Sign.GONE, what=name, field="job", before=job.about)
    for key in stored.contexts():
        job_name = key.partition("/")[0]
        if job_name in wanted.jobs and key not in wanted.jobs[job_name].contexts:
            yield Change(sign=Sign.GONE, what=key, note="it fires no more; its runs are kept")
    yield from _pruned_variables(stored, wanted)
    for each in doomed_suspensions(stored, wanted):
        yield Change(sign=Sign.GONE, what="suspension", field=each.context, before=each.reason)
    for name in stored.environments:
        if name not in wanted.environments and name not in KEPT_ENVIRONMENTS:
            yield Change(sign=Sign.GONE, what=f"environment {name}")
    for name in stored.topics:
        if name not in wanted.topics:
            yield Change(sign=Sign.GONE, what=f"topic {name}", note="what is in it stays")


def doomed_suspensions(stored: Definitions, wanted: Definitions) -> list[SetSuspension]:
    """Return the suspensions that a pruning document takes away: never one made by hand."""
    kept = {each.key for each in wanted.suspensions}
    contexts = {key for job in wanted.jobs.values() for key in job.contexts}
    return [
        each
        for each in stored.suspensions
        if each.by_document and each.key not in kept and each.context in contexts
    ]


def _pruned_variables(stored: Definitions, wanted: Definitions) -> Iterator[Change]:
    yield from _gone("all jobs", stored.variables, wanted.variables)
    for name, job in wanted.jobs.items():
        before = stored.jobs.get(name)
        if before is None:
            continue
        yield from _gone(name, before.variables, job.variables)
        for key, context in job.contexts.items():
            if key in before.contexts:
                yield from _gone(key, before.contexts[key].variables, context.variables)


def _gone(what: str, before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[Change]:
    for name in before:
        if name not in after:
            yield Change(sign=Sign.GONE, what=what, field=name)

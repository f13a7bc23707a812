"""What is told of contexts: definition, next fire, the last ones, what is read and written."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from kirby.core.names import split_context
from kirby.core.nouns import Definition, Suspension
from kirby.core.planning.fires import fires_of
from kirby.model.cluster import DaemonView, daemons
from kirby.model.registration import UsageNote, usages
from kirby.model.runs import STRIP, Fire, RunFilter, fires, median_seconds
from kirby.web import shapes

LOOKED_THROUGH = 1000  # suspensions in a row that the search for the next fire passes over


@dataclass(frozen=True, kw_only=True)
class ContextView:
    """A context as the pages and the API tell of it."""

    definition: Definition
    suspension: Suspension | None
    next: datetime | None
    recent: Sequence[Fire]  # the latest first
    median_seconds: float | None
    usages: Sequence[UsageNote]
    instances: Sequence[DaemonView]


def context_views(definitions: Iterable[Definition], now: datetime) -> list[ContextView]:
    """Look up what is told of contexts."""
    of_context: dict[str, list[UsageNote]] = defaultdict(list)
    for note in usages():
        of_context[note.context].append(note)
    running: dict[str, list[DaemonView]] = defaultdict(list)
    for instance in daemons(now):
        running[instance.context].append(instance)
    return [
        _view(each, now, of_context[each.context], running[each.context]) for each in definitions
    ]


def _view(
    definition: Definition,
    now: datetime,
    notes: Sequence[UsageNote],
    instances: Sequence[DaemonView],
) -> ContextView:
    strip = fires(RunFilter(contexts=[definition.context], limit=STRIP))
    return ContextView(
        definition=definition,
        suspension=suspended(definition, now),
        next=next_fire(definition, now),
        recent=strip,
        median_seconds=median_seconds(strip),
        usages=notes,
        instances=instances,
    )


def suspended(definition: Definition, at: datetime) -> Suspension | None:
    """Return the suspension that an instant lies in."""
    return next((each for each in definition.suspensions if each.start <= at < each.end), None)


def next_fire(definition: Definition, now: datetime) -> datetime | None:
    """Return when a context next fires, suspensions passed over; None: it does not."""
    if not definition.enabled or not definition.schedules:
        return None
    due = fires_of(definition.schedules).next_after(now)
    for _ in range(LOOKED_THROUGH):
        window = suspended(definition, due) if due is not None else None
        if window is None:
            return due
        due = fires_of(definition.schedules).next_after(_just_before(window.end))
    return due


def _just_before(end: datetime) -> datetime:
    return end - timedelta(microseconds=1)


def shape(view: ContextView) -> dict[str, Any]:
    """Return CONTEXT."""
    definition = view.definition
    job, environment = split_context(definition.context)
    return {
        "context": definition.context,
        "job": job,
        "environment": environment,
        "kind": definition.kind,
        "about": definition.about,
        "package": definition.package,
        "schedules": shapes.schedules(definition.schedules),
        "enabled": definition.enabled,
        "held": definition.held,
        "hosts": shapes.hosts_of(definition),
        "suspension": (
            shapes.window(definition.context, view.suspension) if view.suspension else None
        ),
        "next": view.next,
        "recent": shapes.recent(view.recent),
        "median_seconds": view.median_seconds,
        "reads": _externals(view, "reads"),
        "writes": _externals(view, "writes"),
        "instances": dict(Counter(each.state.value for each in view.instances)),
        "revision": definition.revision,
    }


def _externals(view: ContextView, direction: str) -> list[dict[str, str]]:
    return [
        {"kind": note.kind.value, "name": note.name}
        for note in view.usages
        if note.direction.value == direction
    ]

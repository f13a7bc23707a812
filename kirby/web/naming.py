"""People name things loosely; here it is resolved, and said what was chosen.

`sensor_sales` is its only environment, or prod; `sensor_sales@14:10` the latest run that was due
at such a time, in the context's own time zone; whole ids are themselves.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from difflib import get_close_matches

from kirby.core.errors import Conflict, NotFound
from kirby.core.names import context_of, is_instance, split_context
from kirby.core.nouns import Definition
from kirby.core.planning.zones import zone
from kirby.model.cluster import daemons
from kirby.model.definitions import Context
from kirby.model.runs import RunFilter, RunView, fires
from kirby.model.schedule import definitions

PREFERRED = "prod"
TIME = re.compile(r"(?:(\d{4})-(\d{2})-(\d{2})[T ])?(\d{1,2}):(\d{2})(?::(\d{2}))?")
LOOKED_THROUGH = 1000  # runs back; of a schedule by the second a quarter of an hour
SHOWN = 10


class Ambiguous(Conflict):
    """Several things have this name."""

    def __init__(self, sentence: str, candidates: Sequence[str]) -> None:
        super().__init__(sentence)
        self.candidates = list(candidates)


class Unnamed(NotFound):
    """Nothing has this name; perhaps others that are near."""

    def __init__(self, sentence: str, candidates: Sequence[str]) -> None:
        super().__init__(sentence)
        self.candidates = list(candidates)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What a loose name means."""

    context: str
    run: str | None = None
    instance: str | None = None
    chose: str = ""  # what was chosen where the name left a choice


def resolve(name: str, environment: str | None, now: datetime) -> Chosen:
    """Find what a name means.

    Args:
        name: a job, a context, either with `@` and a time, a run id, or an instance id.
        environment: to choose among those of a job.
        now: for the definitions.

    Raises:
        Unnamed: nothing has this name.
        Ambiguous: several have it.
    """
    if is_instance(name):
        return _instance(name, now)
    subject, at, time = name.strip().partition("@")
    definition, chose = _context(subject, environment, now)
    if not at:
        return Chosen(context=definition.context, chose=chose)
    run = _run(definition, time, now)
    return Chosen(
        context=definition.context,
        run=run,
        chose=chose if run == name else f"{run}{f' ({chose})' if chose else ''}",
    )


def _instance(name: str, now: datetime) -> Chosen:
    subject, _, host = name.partition("#")
    definition, chose = _context(subject, None, now)
    found = [each.id for each in daemons(now, definition.context)]
    wanted = f"{definition.context}#{host}"
    if wanted not in found and host:
        raise Unnamed(f"{definition.context} has no daemon on {host}", found)
    return Chosen(context=definition.context, instance=wanted, chose=chose)


def _context(subject: str, environment: str | None, now: datetime) -> tuple[Definition, str]:
    job, slash, named = subject.partition("/")
    if slash and environment and named != environment:
        raise Ambiguous(f"{subject} is not in {environment}: name one of the two", [subject])
    wanted = named or environment
    found = definitions(now, Context.job == job)
    if not found:
        raise _unknown_job(job)
    if wanted:
        return _of_environment(job, wanted, found), ""
    if len(found) == 1:
        return found[0], f"{found[0].context}, its only environment"
    preferred = [each for each in found if split_context(each.context)[1] == PREFERRED]
    if preferred:
        return preferred[0], f"{preferred[0].context}, of {len(found)} environments"
    names = [each.context for each in found]
    raise Ambiguous(f"{job} is in several environments: {', '.join(names)}", names)


def _of_environment(job: str, environment: str, found: Sequence[Definition]) -> Definition:
    for each in found:
        if each.context == f"{job}/{environment}":
            return each
    names = [each.context for each in found]
    raise Unnamed(f"{job} is not in {environment}, only in {', '.join(names)}", names)


def _unknown_job(job: str) -> Unnamed:
    jobs = sorted({row.job_id for row in Context.select(Context.job)})
    near = get_close_matches(job, jobs, n=3) or [each for each in jobs if job and job in each]
    hint = f"; did you mean {near[0]}?" if near else ": see kirby jobs"
    return Unnamed(f'there is no job "{job[:80]}"{hint}', near)


def _run(definition: Definition, time: str, now: datetime) -> str:
    exact = f"{definition.context}@{time}"
    recent = fires(RunFilter(contexts=[definition.context], limit=LOOKED_THROUGH))
    runs = [each for each in recent if isinstance(each, RunView)]
    if any(run.id == exact for run in runs):
        return exact
    if "Z" in time or "~" in time:
        return exact  # a whole id, of a run that is older, or that nothing was heard of yet
    return _latest_at(definition, runs, time, now)


def _latest_at(definition: Definition, runs: Sequence[RunView], time: str, now: datetime) -> str:
    match = TIME.fullmatch(time)
    if match is None:
        raise Unnamed(f'"{time[:40]}" is no time: write 14:10, 14:10:30, or 2026-05-01T14:10', [])
    zone_name = definition.schedules[0].zone if definition.schedules else "UTC"
    for run in runs:
        if _fits(zone(zone_name).local(run.due), match):
            return run.id
    candidates = [run.id for run in runs[:SHOWN]]
    raise Unnamed(f"no run of {definition.context} was due at {time} ({zone_name})", candidates)


def _fits(local: datetime, match: "re.Match[str]") -> bool:
    given = (int(each) if each else None for each in match.groups())
    found = (local.year, local.month, local.day, local.hour, local.minute, local.second)
    return all(each in (None, part) for each, part in zip(given, found, strict=True))


def contexts_named(names: Sequence[str]) -> list[str]:
    """Return the contexts of names that are jobs or contexts themselves."""
    found: list[str] = []
    for name in names:
        if "/" in name:
            found.append(context_of(name))
        else:
            query = Context.select(Context.key).where(Context.job == name)
            found += [row.key for row in query.order_by(Context.key)]
    return found

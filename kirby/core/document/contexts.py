"""A context of a document: its schedules, policies, hosts and variables."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from kirby.core.document.definitions import Path, SetContext
from kirby.core.document.table import Table, Unfit, near
from kirby.core.document.values import duration, hosts, one_of, size, text, truth, whole
from kirby.core.document.variables import read_variables
from kirby.core.names import ContextKey
from kirby.core.nouns import CatchUp, CronLine, JobKind, Lost, Overlap, Policies
from kirby.core.planning.cron import ALIASES, check_cron
from kirby.core.planning.zones import check_zone
from kirby.core.requirement import parse_requirement

DEFAULTS = Policies()
WINDOW_LIMIT = timedelta(hours=1)  # rule O2: Runners read offers from an hour back
ATTEMPTS_LIMIT = 1000
SCHEDULES_LIMIT = 100


def _at_least(least: timedelta, most: timedelta | None = None) -> Callable[[Any], timedelta]:
    def read(value: Any) -> timedelta:
        found = duration(value)
        if found < least:
            raise Unfit(" is too short")
        if most is not None and found > most:
            raise Unfit(f" is too long: at most {most}")
        return found

    return read


POLICY_READERS: Mapping[str, Callable[[Any], Any]] = {
    "catch_up": one_of(CatchUp),
    "start_window": _at_least(timedelta(seconds=1), WINDOW_LIMIT),
    "overlap": one_of(Overlap),
    "exclusive": truth,
    "time_limit": _at_least(timedelta(milliseconds=1)),
    "attempts": whole(1, ATTEMPTS_LIMIT),
    "back_off": _at_least(timedelta(0)),
    "back_off_limit": _at_least(timedelta(0)),
    "lost": one_of(Lost),
    "grace": _at_least(timedelta(0)),
    "memory_limit": size,
    "output_limit": size,
    "prestart": truth,
    "source_builds": truth,
}
SCHEDULED_ONLY = (
    "schedule", "zone", "catch_up", "start_window", "overlap", "time_limit", "attempts", "lost",
    "back_off", "back_off_limit", "prestart",
)  # fmt: skip
OTHER_KEYS = ("schedule", "zone", "package", "enabled", "hosts", "set", "secret")
CONTEXT_KEYS = (*OTHER_KEYS, *POLICY_READERS)


def read_context(key: ContextKey, table: Table, kind: JobKind, inherits: bool) -> SetContext:
    """Read a context.

    Args:
        key: its name.
        table: its table.
        kind: of its job; a daemon has no schedule, and only a daemon has hosts.
        inherits: whether its job names a package.
    """
    _refuse_of_other_kind(table, kind)
    zone = table.read("zone", _zone, "UTC")
    context = SetContext(
        key=key,
        package=table.read("package", _requirement, None),
        schedules=_schedules(table, zone),
        policies=Policies(
            **{
                name: table.read(name, read, getattr(DEFAULTS, name))
                for name, read in POLICY_READERS.items()
            }
        ),
        hosts=table.read("hosts", hosts, "all"),
        enabled=table.read("enabled", _maybe_truth, None),
        variables=read_variables(table),
        path=Path(table.path),
    )
    if not inherits and not table.has("package"):
        table.blame("package", f'{key} has no package: write package = "name==version"')
    table.refuse_rest(CONTEXT_KEYS)
    return context


def _maybe_truth(value: Any) -> bool | None:
    return truth(value)


def _refuse_of_other_kind(table: Table, kind: JobKind) -> None:
    match kind:
        case JobKind.DAEMON:
            wrong = [name for name in SCHEDULED_ONLY if table.has(name)]
            sentence = "a daemon runs all the time: leave it out"
        case JobKind.SCHEDULED:
            wrong = ["hosts"] if table.has("hosts") else []
            sentence = 'only a daemon is bound to hosts: leave it out, or write kind = "daemon"'
    for name in wrong:
        table.blame(name, f'key "{name}": {sentence}')


def _requirement(value: Any) -> str:
    return str(parse_requirement(text(value)))


def _zone(value: Any) -> str:
    return check_zone(text(value))


def _schedules(table: Table, zone: str) -> tuple[CronLine, ...]:
    """Read the schedule: one line, a table with a zone of its own, or a list of both."""
    value = table.data.get("schedule", [])
    table.asked.add("schedule")
    if not isinstance(value, list):
        line = _line(table, "schedule", value, zone)
        return () if line is None else (line,)
    if len(value) > SCHEDULES_LIMIT:
        table.blame("schedule", f"a context has at most {SCHEDULES_LIMIT} schedules")
        return ()
    below = Table(
        path=table.at("schedule"),
        data={str(place): each for place, each in enumerate(value)},
        faults=table.faults,
    )
    return tuple(_distinct(below, zone))


def _distinct(below: Table, zone: str) -> list[CronLine]:
    found: list[CronLine] = []
    for place, value in below.data.items():
        line = _line(below, place, value, zone)
        if line is None:
            continue
        if line in found:
            below.blame(place, f'schedule "{line.cron}" is there twice')
        found.append(line)
    return found


def _line(table: Table, key: str, value: Any, zone: str) -> CronLine | None:
    if not isinstance(value, Mapping):
        cron = table.read(key, _cron, None)
        return None if cron is None else CronLine(cron=cron, zone=zone)
    below = table.table(key)
    cron = below.read("cron", _cron, None)
    own_zone = below.read("zone", _zone, zone)
    if not below.has("cron"):
        below.blame("cron", 'a schedule needs "cron", as in { cron = "5 4 * * *" }')
    for name in below.rest():
        below.blame(name, f'key "{name}" is unknown{near(name, ("cron", "zone"))}')
    return None if cron is None else CronLine(cron=cron, zone=own_zone)


def _cron(value: Any) -> str | None:
    if not isinstance(value, str):
        raise Unfit(': write a cron expression in quotes, as in "*/10 * * * *"')
    checked = check_cron(value)
    return ALIASES.get(checked.lower(), checked)  # schedules are kept by field

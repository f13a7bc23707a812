"""How does a leader grow with its schedules? 1,000, 10,000 and 100,000 of them, side by side.

    python benchmarks/leader_growth.py [--schedules 1000 10000 100000]

Each size in a fresh process; 1,000 schedules are due at one instant, all others at other hours:

- `ready`: from definitions to a ledger that has decided what there is to decide
- `memory`: what the ledger takes of it, definitions included
- `idle`: one decision when nothing is due, as ten of them are made each second
- `a fire`: what one of the 1,000 costs to decide: its offer, its step, its cursor

Beside it the limit of this machine: `bare` is to write the same records as JSON, and the memory is
held against that of the definitions alone. Ends with status 1 if the largest leader takes more than
LIMIT times what the smallest takes for each schedule or fire, or more than its share of the limits.
"""

import argparse
import gc
import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter

from kirby.core.leader.decisions import decide
from kirby.core.leader.ledger import Ledger
from kirby.core.leader.roster import Roster
from kirby.core.names import Epoch, Host, Incarnation, StateFolderId, context_key
from kirby.core.nouns import CronLine, Definition, JobKind
from kirby.core.planning.fires import Fires, fires_of
from kirby.core.records import AnyRecord, Heartbeat, encode

SIZES = (1_000, 10_000, 100_000)
DUE_AT_ONCE = 1_000
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOST = Host("alpha")
LIMIT = 3.0  # measured: 0.7 to 1.3
IDLE_MS = 5.0  # of the 100 ms between two of a Scheduler's ticks
MEMORY_LIMIT = 6.0  # times the definitions alone
BARE_LIMIT = 40.0  # times writing the same records


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one size has shown."""

    ready_us: float  # for each schedule
    memory_bytes: float  # for each schedule
    definition_bytes: float  # the definitions alone, for each
    idle_ms: float
    fire_us: float
    bare_us: float  # to write the records of a fire


def definition(number: int) -> Definition:
    """Return one of the due, or one that is due at another hour, each with a line of its own."""
    minute, hour = number % 60, 13 + number // 60 % 10
    cron = "1 12 * * *" if number < DUE_AT_ONCE else f"{minute} {hour} * * *"
    return Definition(
        context=context_key(f"job-{number}", "prod"),
        kind=JobKind.SCHEDULED,
        package="bread==1.0",
        schedules=(CronLine(cron=cron),),
    )


def measure(count: int) -> Figures:
    """Measure one size in this process."""
    gc.disable()
    empty = resident()
    definitions = [definition(number) for number in range(count)]
    alone = resident()
    ledger = Ledger(host=HOST, compile=compiled, epoch=Epoch(7), roster=roster())
    start = perf_counter()
    for each in definitions:
        ledger.define(each, NOON)
    settle(ledger, NOON)
    ready = perf_counter() - start
    memory = resident() - empty
    idle = min(timed(lambda: decide(ledger, NOON)) for _ in range(50))
    start = perf_counter()
    records = settle(ledger, NOON + timedelta(seconds=59))
    firing = perf_counter() - start
    bare = min(timed(lambda: [encode(each) for each in records]) for _ in range(5))
    return Figures(
        ready_us=ready / count * 1e6,
        memory_bytes=memory / count,
        definition_bytes=(alone - empty) / count,
        idle_ms=idle * 1e3,
        fire_us=firing / DUE_AT_ONCE * 1e6,
        bare_us=bare / DUE_AT_ONCE * 1e6,
    )


def compiled(each: Definition) -> Fires:
    return fires_of(each.schedules)


def roster() -> Roster:
    """Return a roster with one host that has room for all."""
    known = Roster(own=HOST)
    known.begin(1000.0)
    beat = Heartbeat(
        host=HOST,
        incarnation=Incarnation(1),
        state_folder=StateFolderId("folder"),
        sent=NOON,
        started=NOON,
        version="1",
        slots=DUE_AT_ONCE,
        free_slots=DUE_AT_ONCE,
    )
    known.read_heartbeat(beat, 1, 1000.0)
    return known


def settle(ledger: Ledger, now: datetime) -> list[AnyRecord]:
    """Decide until nothing is left to decide; return all that was written."""
    written: list[AnyRecord] = []
    while posts := decide(ledger, now).posts:
        written += [post.record for post in posts if post.record is not None]
    return written


def timed(what: Callable[[], object]) -> float:
    start = perf_counter()
    what()
    return perf_counter() - start


def resident() -> int:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def in_a_process(count: int) -> Figures:
    command = [sys.executable, __file__, "--one", str(count)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return Figures(**json.loads(done.stdout))


def report(found: dict[int, Figures]) -> bool:
    """Print all sizes side by side; return whether the largest keeps the limits."""
    print(
        f"{'schedules':>10}{'ready':>12}{'memory':>12}{'of it def.':>12}{'idle':>10}"
        f"{'a fire':>10}{'bare':>10}"
    )
    for count, each in found.items():
        print(
            f"{count:>10,}{each.ready_us:>9.0f} µs{each.memory_bytes:>10,.0f} B"
            f"{each.definition_bytes:>10,.0f} B{each.idle_ms:>7.2f} ms{each.fire_us:>7.0f} µs"
            f"{each.bare_us:>7.1f} µs"
        )
    small, large = found[min(found)], found[max(found)]
    ratios = (
        ("ready, for each schedule", large.ready_us / small.ready_us, LIMIT),
        ("memory, for each schedule", large.memory_bytes / small.memory_bytes, LIMIT),
        ("a fire", large.fire_us / small.fire_us, LIMIT),
        ("memory beside definitions", large.memory_bytes / large.definition_bytes, MEMORY_LIMIT),
        ("a fire beside bare records", large.fire_us / large.bare_us, BARE_LIMIT),
        ("idle, ms", large.idle_ms, IDLE_MS),
    )
    for name, ratio, limit in ratios:
        print(f"  {name:<28}{ratio:>8.2f}   (at most {limit:g})")
    return all(ratio <= limit for _, ratio, limit in ratios)


def main() -> int:
    arguments = argparse.ArgumentParser(description="Measure a leader by its schedules.")
    arguments.add_argument("--schedules", type=int, nargs="+", default=list(SIZES))
    arguments.add_argument("--one", type=int, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.one:
        print(json.dumps(asdict(measure(given.one))))
        return 0
    return 0 if report({count: in_a_process(count) for count in given.schedules}) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Next fires a second, and memory, for 100,000 schedules: Kirby's planning beside croniter's own.

    python benchmarks/planning.py [--schedules 100000] [--fires 100000]

Each side plans the same schedules in a fresh process: first it finds a next fire of each; then it
keeps them in a heap, takes the earliest, finds the one after it and puts it back. Memory is what
the schedules and the heap take. Ends with status 1 if a ratio is worse than its limit.
"""

import argparse
import json
import random
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from heapq import heappush, heapreplace
from itertools import islice
from pathlib import Path
from time import perf_counter
from zoneinfo import ZoneInfo

from croniter import croniter

from kirby.core.leader.agenda import Agenda
from kirby.core.names import context_key
from kirby.core.nouns import CronLine
from kirby.core.planning.fires import fires_of

SEED = 20_261_125
BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
ZONES = ("UTC", "UTC", "Europe/Brussels", "America/New_York", "Asia/Kolkata", "Australia/Sydney")
# Measured: 14 to 19 times as many fires, 4 to 6 times with the heap, a quarter of the memory.
LEAST_SPEED = 6.0
LEAST_SPEED_WITH_HEAP = 3.0
MOST_MEMORY = 0.4
CRONITER_SHARE = 5  # it is asked for so many times fewer fires, as it takes so much longer


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What one side has shown."""

    found_a_second: float
    planned_a_second: float
    ready_seconds: float
    memory_mb: float


def schedules(count: int) -> list[CronLine]:
    """Draw schedules such as people write: many distinct ones, hourly to monthly."""
    chance = random.Random(SEED)

    def cron() -> str:
        minute, hour = chance.randrange(60), chance.randrange(24)
        return chance.choice(
            [
                f"*/{chance.choice([5, 10, 15, 20, 30])} * * * *",
                f"{minute} * * * *",
                f"{minute} */{chance.choice([2, 3, 4, 6])} * * *",
                f"{minute} {hour} * * *",
                f"{minute} {hour} * * mon-fri",
                f"{minute} {hour} {chance.randint(1, 28)} * *",
            ]
        )

    return [CronLine(cron=cron(), zone=chance.choice(ZONES)) for _ in range(count)]


def kirby(count: int, fires: int) -> Figures:
    """Plan with the core: bit masks, and the leader's agenda."""
    drawn = {context_key(f"job-{at}", "prod"): line for at, line in enumerate(schedules(count))}
    before, start = resident_mb(), perf_counter()
    agenda = Agenda()
    contexts = {context: fires_of([line]) for context, line in drawn.items()}
    for context, planned in contexts.items():
        agenda.set(context, planned.next_after(BEGIN))
    ready = perf_counter() - start
    memory = resident_mb() - before

    start = perf_counter()
    for planned in islice(contexts.values(), fires):
        planned.next_after(BEGIN)
    found = min(fires, count) / (perf_counter() - start)

    start, done = perf_counter(), 0
    while done < fires:
        now = agenda.next()
        assert now is not None
        for context in agenda.take_due(now):
            agenda.set(context, contexts[context].next_after(now))
            done += 1
    return figures(found, done / (perf_counter() - start), ready, memory)


def theirs(count: int, fires: int) -> Figures:
    """Plan with croniter and a plain heap."""
    drawn = schedules(count)
    zones = {name: ZoneInfo(name) for name in ZONES}
    before, start = resident_mb(), perf_counter()
    heap: list[tuple[float, int]] = []
    iterators = []
    for at, line in enumerate(drawn):
        iterators.append(croniter(line.cron, BEGIN.astimezone(zones[line.zone])))
        heappush(heap, (iterators[at].get_next(), at))
    ready = perf_counter() - start
    memory = resident_mb() - before

    start = perf_counter()
    for iterator in islice(iterators, fires):
        iterator.get_next()
    found = min(fires, count) / (perf_counter() - start)

    start = perf_counter()
    for _ in range(fires):
        at = heap[0][1]
        heapreplace(heap, (iterators[at].get_next(), at))
    return figures(found, fires / (perf_counter() - start), ready, memory)


def figures(found: float, planned: float, ready: float, memory: float) -> Figures:
    return Figures(
        found_a_second=found, planned_a_second=planned, ready_seconds=ready, memory_mb=memory
    )


def resident_mb() -> float:
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


SIDES: dict[str, Callable[[int, int], Figures]] = {"kirby": kirby, "croniter": theirs}


def measure(side: str, count: int, fires: int) -> Figures:
    """Have one side measured in a process of its own."""
    command = [sys.executable, __file__, "--side", side]
    command += ["--schedules", str(count), "--fires", str(fires)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)
    return Figures(**json.loads(done.stdout))


def report(ours: Figures, others: Figures, count: int) -> bool:
    """Print the figures side by side; return whether all ratios keep their limits."""
    found = ours.found_a_second / others.found_a_second
    planned = ours.planned_a_second / others.planned_a_second
    memory = ours.memory_mb / others.memory_mb
    print(f"{count:,} schedules, seed {SEED}")
    print(f"{'':26}{'kirby':>10}{'croniter':>10}{'ratio':>8}")
    for name, one, other, ratio in (
        ("next fires a second", ours.found_a_second, others.found_a_second, found),
        ("the same, with the heap", ours.planned_a_second, others.planned_a_second, planned),
        ("memory, MB", ours.memory_mb, others.memory_mb, memory),
    ):
        print(f"{name:26}{one:10,.0f}{other:10,.0f}{ratio:8.2f}")
    print(f"{'ready after, s':26}{ours.ready_seconds:10.1f}{others.ready_seconds:10.1f}")
    print(
        f"limits of the ratios: at least {LEAST_SPEED}, at least {LEAST_SPEED_WITH_HEAP}, "
        f"at most {MOST_MEMORY}"
    )
    return found >= LEAST_SPEED and planned >= LEAST_SPEED_WITH_HEAP and memory <= MOST_MEMORY


def main() -> int:
    arguments = argparse.ArgumentParser(description="Measure planning beside croniter's own.")
    arguments.add_argument("--schedules", type=int, default=100_000)
    arguments.add_argument("--fires", type=int, default=100_000)
    arguments.add_argument("--side", choices=list(SIDES), help=argparse.SUPPRESS)
    given = arguments.parse_args()
    if given.side:
        print(json.dumps(asdict(SIDES[given.side](given.schedules, given.fires))))
        return 0
    ours = measure("kirby", given.schedules, given.fires)
    others = measure("croniter", given.schedules, given.fires // CRONITER_SHARE)
    return 0 if report(ours, others, given.schedules) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Run histories: `python -m tests.simulation.cluster --histories 3000`, or one: `--seed 42`.

The first that breaks an invariant is printed with its seed and its steps, later ones with their
seeds. `--mutation NAME` runs with a rule switched off, to see which history finds it; `--log`
prints what stands in the log as well.
"""

import argparse
import os
import sys
from contextlib import nullcontext

from tests.simulation.cluster.history import History
from tests.simulation.cluster.rules import MUTATIONS
from tests.simulation.cluster.running import Progress, run, run_many, told


def log_of(history: History) -> str:
    """Print what stands in the log, in the order in which it became true."""
    lines = []
    for topic, key, record, entry in history.world.broker.history:
        lines.append(f"{entry.stood:8.3f} {topic.value} {key}: {record}")
    for host in history.world.hosts.values():
        for script in host.machine.all_scripts:
            span = f"{script.started:.3f} to {script.ended}, status {script.status}"
            lines.append(f"{host.name} ran {script.key[0]} attempt {script.key[1]}: {span}")
    return "\n".join(lines)


def main() -> int:
    """Run what was asked for; 1 where an invariant broke."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.cluster")
    parser.add_argument("--histories", type=int, default=200, help="how many (200)")
    parser.add_argument("--first", type=int, default=0, help="seed of the first (0)")
    parser.add_argument("--workers", type=int, default=0, help="processes (one for each core)")
    parser.add_argument("--seed", type=int, help="run this one only, and print it")
    parser.add_argument("--mutation", choices=sorted(MUTATIONS), default="", help="a rule to leave")
    parser.add_argument("--log", action="store_true", help="with --seed: print the log")
    asked = parser.parse_args()
    if asked.seed is not None:
        return _one(asked.seed, asked.mutation, asked.log)
    workers = asked.workers or len(os.sched_getaffinity(0))
    progress = Progress(asked.histories, lambda line: print(line, flush=True))
    for done, broken in run_many(asked.first, asked.histories, workers, asked.mutation):
        progress.take(done, broken)
    print(progress.summary())
    return 1 if progress.broken else 0


def _one(seed: int, mutation: str, with_log: bool) -> int:
    with MUTATIONS[mutation].off() if mutation else nullcontext():
        history, violations = run(seed)
    if with_log:
        print(log_of(history))
    print(told(history, violations, mutation))
    return 1 if violations else 0


if __name__ == "__main__":
    sys.exit(main())

"""Run histories: `python -m tests.simulation.cluster --histories 3000`, or one: `--seed 42`.

One that breaks an invariant is printed with its seed and its steps. `--mutation NAME` runs with a
rule switched off, to see which history finds it; `--log` prints what stands in the log as well.
"""

import argparse
import sys
import time
from contextlib import nullcontext

from tests.simulation.cluster.checkers import Violation, check, is_settled
from tests.simulation.cluster.history import History, Script
from tests.simulation.cluster.mutations import MUTATIONS


def run(seed: int, script: Script | None = None) -> tuple[History, list[Violation]]:
    """Run one history and check it; its script is drawn from the seed where none is given."""
    history = History(seed, script)
    history.run(is_settled)
    return history, check(history)


def told(history: History, violations: list[Violation]) -> str:
    """Print a history that broke something, with what it takes to see it again."""
    broken = "\n".join(map(str, violations))
    again = f"python -m tests.simulation.cluster --seed {history.seed}"
    return f"seed {history.seed}: {again}\n{history.script}\n{broken}"


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
    parser.add_argument("--seed", type=int, help="run this one only, and print it")
    parser.add_argument("--mutation", choices=sorted(MUTATIONS), help="switch a rule off")
    parser.add_argument("--log", action="store_true", help="with --seed: print the log")
    asked = parser.parse_args()
    off = MUTATIONS[asked.mutation].off() if asked.mutation else nullcontext()
    began, broken = time.process_time(), 0
    with off:
        if asked.seed is not None:
            history, violations = run(asked.seed)
            print(log_of(history) if asked.log else "", told(history, violations), sep="\n")
            return 1 if violations else 0
        for seed in range(asked.first, asked.first + asked.histories):
            history, violations = run(seed)
            if violations:
                broken += 1
                print(told(history, violations), flush=True)
    seconds = time.process_time() - began
    each = 1000 * seconds / max(1, asked.histories)
    print(f"{asked.histories} histories, {broken} broken, {seconds:.1f} s ({each:.0f} ms each)")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())

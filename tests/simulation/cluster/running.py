"""Histories run and told: one by one, and many at once by processes."""

import gc
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass

from tests.simulation.cluster.checkers import Violation, check, is_settled
from tests.simulation.cluster.history import History, Script
from tests.simulation.cluster.mutations import Mutation
from tests.simulation.cluster.rules import MUTATIONS, STORIES, histories_of

AT_A_TIME = 10  # histories of one task of a process
COLLECT_EVERY = 8  # histories; one leaves some 5 MB of cycles behind


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A history that broke an invariant."""

    seed: int
    rules: frozenset[str]
    told: str


def run(seed: int, script: Script | None = None) -> tuple[History, list[Violation]]:
    """Run one history and check it; its script is drawn from the seed where none is given."""
    history = History(seed, script)
    history.run(is_settled)
    return history, check(history)


def told(history: History, violations: list[Violation], mutation: str = "") -> str:
    """Print a history that broke something, with what it takes to see it again."""
    broken = "\n".join(map(str, violations))
    off = f" --mutation {mutation!r}" if mutation else ""
    again = f"python -m tests.simulation.cluster --seed {history.seed}{off}"
    return f"seed {history.seed}: {again}\n{history.script}\n{broken}"


def broken_among(first: int, count: int, mutation: str = "") -> list[Broken]:
    """Run some histories, perhaps with a rule switched off; return those that broke something."""
    found = []
    with MUTATIONS[mutation].off() if mutation else nullcontext(), _collecting_seldom() as collect:
        for seed in range(first, first + count):
            history, violations = run(seed)
            if violations:
                rules = frozenset(each.rule for each in violations)
                text = told(history, violations, mutation)
                found.append(Broken(seed=seed, rules=rules, told=text))
            collect(seed)
    return found


def broken_without(mutation: Mutation, most: int, stories: int = STORIES) -> frozenset[str]:
    """Return what the first history breaks that breaks one of those expected without a rule."""
    with mutation.off():
        for seed, script in histories_of(mutation, most, stories):
            rules = frozenset(violation.rule for violation in run(seed, script)[1])
            if rules & set(mutation.by):
                return rules
    return frozenset()


def run_many(
    first: int, count: int, workers: int, mutation: str = ""
) -> Iterator[tuple[int, list[Broken]]]:
    """Run histories by several processes; yield how many more are done, and which of them broke."""
    tasks = [
        (begin, min(AT_A_TIME, first + count - begin))
        for begin in range(first, first + count, AT_A_TIME)
    ]
    if workers == 1:
        for begin, few in tasks:
            yield few, broken_among(begin, few, mutation)
        return
    spawn = multiprocessing.get_context("fork" if os.name == "posix" else "spawn")
    with ProcessPoolExecutor(workers, mp_context=spawn) as pool:
        waiting = [(few, pool.submit(broken_among, begin, few, mutation)) for begin, few in tasks]
        for few, task in waiting:
            yield few, task.result()


class Progress:
    """Tells how far it is, each few seconds, and the first history that breaks with its steps."""

    def __init__(self, count: int, say: Callable[[str], None], every: float = 10.0) -> None:
        self.count, self.done = count, 0
        self.broken: list[Broken] = []
        self._say, self._every = say, every
        self._began = self._told = time.monotonic()

    def take(self, done: int, broken: list[Broken]) -> None:
        """Note some histories."""
        self.done += done
        for each in broken:
            if not self.broken:
                self._say(f"The first that breaks an invariant:\n{each.told}\n")
            else:
                self._say(f"seed {each.seed} breaks {', '.join(sorted(each.rules))} as well")
            self.broken.append(each)
        now = time.monotonic()
        if now - self._told >= self._every:
            self._told = now
            self._say(f"{self.summary()} …")

    def summary(self) -> str:
        """Say how far it is."""
        seconds = time.monotonic() - self._began
        each = 1000 * seconds / max(1, self.done)
        done = f"{self.done} of {self.count} histories, {len(self.broken)} broken"
        return f"{done}, {seconds:.0f} s ({each:.0f} ms each)"


@contextmanager
def _collecting_seldom() -> Iterator[Callable[[int], None]]:
    """Keep the collector from looking through everything hundreds of times in each history."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield lambda seed: None if seed % COLLECT_EVERY else _collect()
    finally:
        if enabled:
            gc.enable()


def _collect() -> None:
    gc.collect()

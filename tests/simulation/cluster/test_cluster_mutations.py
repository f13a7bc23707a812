"""Each rule is needed: without it a checker finds a history that breaks an invariant."""

from collections.abc import Iterator

import pytest

from tests.simulation.cluster.history import Script
from tests.simulation.cluster.mutations import MUTATIONS, Mutation
from tests.simulation.cluster.running import run

HISTORIES = 400  # at the most; the seeds that found it before come first
STORIES = 60  # with one script written for it, and as many chances
LOCK_SEEDS = range(8)  # what nothing finds is at least played for so long

FOUND = sorted(name for name, mutation in MUTATIONS.items() if mutation.by)
LOCKS = sorted(set(MUTATIONS) - set(FOUND))


def broken_by(mutation: Mutation) -> set[str]:
    """Return the invariants that the first history breaks that breaks one of those expected."""
    with mutation.off():
        for seed, script in histories_of(mutation):
            rules = {violation.rule for violation in run(seed, script)[1]}
            if rules & set(mutation.by):
                return rules
    return set()


def histories_of(mutation: Mutation) -> Iterator[tuple[int, Script | None]]:
    if mutation.story is not None:
        yield from ((seed, mutation.story()) for seed in range(STORIES))
    yield from ((seed, None) for seed in mutation.seeds)
    yield from ((seed, None) for seed in range(HISTORIES) if seed not in mutation.seeds)


@pytest.mark.parametrize("name", FOUND)
def test_a_checker_misses_the_rule(name: str) -> None:
    mutation = MUTATIONS[name]

    rules = broken_by(mutation)

    assert rules & set(mutation.by), f"nothing breaks without {mutation.rule}: {mutation.without}"


@pytest.mark.parametrize("name", LOCKS)
def test_a_second_lock_can_be_opened_alone(name: str) -> None:
    mutation = MUTATIONS[name]

    with mutation.off():
        broken = [violation for seed in LOCK_SEEDS for violation in run(seed)[1]]

    assert broken == [], f"{mutation.rule} is more than a second lock"

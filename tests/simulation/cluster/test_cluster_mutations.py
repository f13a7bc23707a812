"""Each rule is needed: without it a checker finds a history that breaks an invariant."""

import pytest

from tests.simulation.cluster.rules import MUTATIONS
from tests.simulation.cluster.running import broken_without, run

HISTORIES = 400  # at the most; the seeds that found it before come first
LOCK_SEEDS = range(8)  # what nothing finds is at least played for so long

pytestmark = pytest.mark.timeout(1200)  # some need a hundred histories, beside other work

FOUND = sorted(name for name, mutation in MUTATIONS.items() if mutation.by)
LOCKS = sorted(set(MUTATIONS) - set(FOUND))


@pytest.mark.parametrize("name", FOUND)
def test_a_checker_misses_the_rule(name: str) -> None:
    mutation = MUTATIONS[name]

    rules = broken_without(mutation, HISTORIES)

    assert rules & set(mutation.by), f"nothing breaks without {mutation.rule}: {mutation.without}"


@pytest.mark.parametrize("name", LOCKS)
def test_a_second_lock_can_be_opened_alone(name: str) -> None:
    mutation = MUTATIONS[name]

    with mutation.off():
        broken = [violation for seed in LOCK_SEEDS for violation in run(seed)[1]]

    assert broken == [], f"{mutation.rule} is more than a second lock"

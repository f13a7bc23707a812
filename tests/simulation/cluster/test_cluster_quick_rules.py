"""Without some rules nearly every history breaks: the checkers are awake."""

import pytest

from tests.simulation.cluster.rules import MUTATIONS, QUICK
from tests.simulation.cluster.running import broken_without

HISTORIES = 40  # the first few find it


@pytest.mark.parametrize("name", QUICK)
def test_a_checker_misses_the_rule_at_once(name: str) -> None:
    mutation = MUTATIONS[name]

    rules = broken_without(mutation, HISTORIES, stories=HISTORIES)

    assert rules, f"nothing breaks without {mutation.rule}: {mutation.without}"

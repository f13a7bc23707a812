"""Without some rules nearly every history breaks: the checkers are awake."""

from pathlib import Path

import pytest

from tests.simulation.cluster.rules import MUTATIONS, QUICK
from tests.simulation.cluster.running import broken_without

PAGE = Path(__file__).parents[3] / "docs/explanation/rules-and-checkers.md"
HISTORIES = 40  # the first few find it


@pytest.mark.parametrize("name", QUICK)
def test_a_checker_misses_the_rule_at_once(name: str) -> None:
    mutation = MUTATIONS[name]

    rules = broken_without(mutation, HISTORIES, stories=HISTORIES)

    assert rules, f"nothing breaks without {mutation.rule}: {mutation.without}"


@pytest.mark.parametrize("name", sorted(MUTATIONS))
def test_the_page_tells_of_each_rule_what_misses_it(name: str) -> None:
    rule = MUTATIONS[name]

    lines = [line for line in PAGE.read_text().splitlines() if f"*{name}*" in line]

    assert len(lines) == 1
    assert rule.without in lines[0]
    assert all(each in lines[0].rpartition("|")[0].rpartition("|")[2] for each in rule.by)

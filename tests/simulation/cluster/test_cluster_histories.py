"""Whatever befalls a cluster, I1 to I7 and I10 hold: seeded histories of the core that ships."""

import pytest

from kirby.core.records import TopicName
from tests.simulation.cluster.broker import places
from tests.simulation.cluster.checkers import check, is_settled
from tests.simulation.cluster.evidence import scripts
from tests.simulation.cluster.history import History, Script, script_of
from tests.simulation.cluster.running import broken_among, run, told

HISTORIES = 200
AT_A_TIME = 20


@pytest.mark.parametrize("first", range(0, HISTORIES, AT_A_TIME))
def test_no_history_breaks_an_invariant(first: int) -> None:
    broken = broken_among(first, AT_A_TIME)

    assert not broken, "\n\n".join(each.told for each in broken)


def a_calm_script(seed: int) -> Script:
    script = script_of(seed)
    script.steps.clear()
    script.lateness = script.loss = script.dawdling = 0.0
    return script


@pytest.mark.parametrize("seed", range(3))
def test_in_calm_weather_one_leader_leads_and_what_is_offered_is_claimed_once(seed: int) -> None:
    history = History(seed, a_calm_script(seed)).run(is_settled)

    broken = check(history)
    broker = history.world.broker
    kinds = [type(record).__name__ for _, _, record, _ in broker.history]

    assert broken == []
    assert kinds.count("Leadership") == 1
    assert list(scripts(history))
    assert kinds.count("Claim") <= 1.1 * kinds.count("Offer")


def test_the_same_seed_gives_the_same_history() -> None:
    first, again = run(7)[0], run(7)[0]

    logs = [
        [len(history.world.broker.logs[place]) for place in places(TopicName)]
        for history in (first, again)
    ]

    assert logs[0] == logs[1]
    assert [script.started for script in scripts(first)] == [
        script.started for script in scripts(again)
    ]


def test_a_failing_history_prints_its_seed_its_steps_and_how_to_see_it_again() -> None:
    history, _ = run(11)

    text = told(history, [])

    assert "python -m tests.simulation.cluster --seed 11" in text
    assert all(str(step) in text for step in history.script.steps)

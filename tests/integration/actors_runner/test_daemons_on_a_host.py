"""A daemon's life on a host: started, kept running, replaced, let go; with real Kafka and shim."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kirby.core.nouns import Variable
from kirby.core.records import Exited, InstanceState, TopicName
from tests.builders.crew_on_stage import CONTEXT, HOST, CrewOnStage

pytestmark = pytest.mark.integration

INSTANCE = f"{CONTEXT}#alpha"
MILL = """
import os, time
with open(os.environ["WITNESS"], "a") as file:
    file.write(os.environ["KIRBY_PACKAGE"] + " " + os.environ["KIRBY_ATTEMPT"] + "\\n")
time.sleep(float(os.environ.get("SECONDS", "600")))
"""


@pytest.fixture
def crew(tmp_path: Path, kafka: str, topic_prefix: str) -> Iterator[CrewOnStage]:
    crew = CrewOnStage(tmp_path / "state", kafka, topic_prefix)
    crew.install("mill==1.0", MILL)
    crew.install("mill==2.0", MILL)
    yield crew
    crew.close()


@pytest.fixture
def witness(tmp_path: Path) -> Path:
    return tmp_path / "witness"


def told_to_write(witness: Path, seconds: float = 600.0) -> tuple[Variable, ...]:
    pairs = {"WITNESS": str(witness), "SECONDS": str(seconds)}
    return tuple(Variable(name=name, value=value) for name, value in pairs.items())


def lives(witness: Path) -> list[str]:
    """Return what each life of the daemon has written."""
    return witness.read_text().splitlines() if witness.exists() else []


def instance_state(crew: CrewOnStage) -> InstanceState | None:
    instances = crew.heartbeat().instances
    return instances[0].state if instances else None


def test_a_daemon_is_started_and_told_in_the_heartbeat(crew: CrewOnStage, witness: Path) -> None:
    crew.begin()

    crew.daemon("mill==1.0", variables=told_to_write(witness))

    crew.until(lambda: lives(witness) == ["mill==1.0 1"])
    crew.until(lambda: instance_state(crew) is InstanceState.RUNNING)


def test_a_daemon_that_ends_is_started_again(crew: CrewOnStage, witness: Path) -> None:
    crew.begin()

    crew.daemon("mill==1.0", variables=told_to_write(witness, seconds=0.1))

    crew.until(lambda: len(lives(witness)) == 3)
    assert lives(witness) == ["mill==1.0 1", "mill==1.0 2", "mill==1.0 3"]
    crew.until(lambda: len({told.attempt for told in crew.told(Exited, INSTANCE)}) >= 2)


def test_another_version_replaces_the_one_that_lives(crew: CrewOnStage, witness: Path) -> None:
    crew.begin()
    crew.daemon("mill==1.0", variables=told_to_write(witness))
    crew.until(lambda: lives(witness) == ["mill==1.0 1"])

    crew.daemon("mill==2.0", variables=told_to_write(witness))

    crew.until(lambda: lives(witness) == ["mill==1.0 1", "mill==2.0 2"])


def test_a_raised_generation_replaces_the_one_that_lives(crew: CrewOnStage, witness: Path) -> None:
    crew.begin()
    crew.daemon("mill==1.0", variables=told_to_write(witness))
    crew.until(lambda: lives(witness) == ["mill==1.0 1"])

    crew.daemon("mill==1.0", generation=1, variables=told_to_write(witness))

    crew.until(lambda: lives(witness) == ["mill==1.0 1", "mill==1.0 2"])


def test_a_tombstone_stops_the_daemon_for_good(crew: CrewOnStage, witness: Path) -> None:
    crew.begin()
    crew.daemon("mill==1.0", variables=told_to_write(witness))
    crew.until(lambda: lives(witness) == ["mill==1.0 1"])
    crew.until(lambda: instance_state(crew) is InstanceState.RUNNING)

    crew.post(TopicName.DAEMONS, CONTEXT, None)

    crew.waits_for(Exited, INSTANCE)
    crew.until(lambda: instance_state(crew) is None)
    assert lives(witness) == ["mill==1.0 1"]


def test_a_heartbeat_lists_a_daemon_that_leaves_until_it_has_ended_by_the_offer(
    crew: CrewOnStage, witness: Path
) -> None:
    crew.begin()
    crew.daemon("mill==1.0", variables=told_to_write(witness))
    crew.until(lambda: CONTEXT in crew.heartbeat().daemons_here)
    before = sum(crew.heartbeat().daemons_read)

    crew.daemon("mill==1.0", hosts=(), leaving=(HOST,), variables=told_to_write(witness))

    crew.until(lambda: CONTEXT not in crew.heartbeat().daemons_here)
    crew.until(lambda: sum(crew.heartbeat().daemons_read) > before)
    crew.until(lambda: INSTANCE not in {each.run for each in crew.heartbeat().held})


def test_with_all_actors_killed_the_daemon_goes_on_and_is_adopted(
    crew: CrewOnStage, witness: Path
) -> None:
    crew.begin()
    crew.daemon("mill==1.0", variables=told_to_write(witness))
    crew.until(lambda: lives(witness) == ["mill==1.0 1"])

    crew.kill_everything()
    crew.begin()
    crew.until(lambda: instance_state(crew) is InstanceState.RUNNING)
    crew.stage.play(5.0)

    assert lives(witness) == ["mill==1.0 1"]
    assert crew.told(Exited, INSTANCE) == []


def test_a_daemon_that_was_stopped_while_the_actors_were_down_is_let_go(
    crew: CrewOnStage, witness: Path
) -> None:
    crew.begin()
    crew.daemon("mill==1.0", variables=told_to_write(witness))
    crew.until(lambda: lives(witness) == ["mill==1.0 1"])

    crew.kill_everything()
    crew.post(TopicName.DAEMONS, CONTEXT, None)
    crew.begin()

    crew.waits_for(Exited, INSTANCE)


def test_a_killed_watchdog_disturbs_nothing(crew: CrewOnStage, witness: Path) -> None:
    crew.begin()
    crew.daemon("mill==1.0", variables=told_to_write(witness))
    crew.until(lambda: lives(witness) == ["mill==1.0 1"])

    crew.kill("watchdog-1")
    crew.stage.play(8.0)

    assert lives(witness) == ["mill==1.0 1"]
    crew.until(lambda: instance_state(crew) is InstanceState.RUNNING)

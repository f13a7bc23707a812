"""A run's whole way through a host: claimed, armed, run, told; with real Kafka and real shim."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kirby.core.nouns import AttemptEnd, LeaderReason, NotStartedReason, Variable
from kirby.core.records import Armed, Exited, Heartbeat, Logged, NotStarted, Released
from tests.builders.crew_on_stage import CrewOnStage

pytestmark = pytest.mark.integration

SALES = """
import os
print(os.environ["KIRBY_RUN_ID"], os.environ["KIRBY_FENCING_TOKEN"])
print("token", os.environ["SHOP_TOKEN"])
"""
WITNESS = """
import os, sys, time
with open(os.environ["WITNESS"], "a") as file:
    file.write(os.environ["KIRBY_RUN_ID"] + " " + os.environ.get("KIRBY_ATTEMPT", "") + "\\n")
time.sleep(float(os.environ["SECONDS"]))
"""


@pytest.fixture
def crew(tmp_path: Path, kafka: str, topic_prefix: str) -> Iterator[CrewOnStage]:
    crew = CrewOnStage(tmp_path / "state", kafka, topic_prefix)
    yield crew
    crew.close()


def told_to_write(witness: Path, seconds: float) -> tuple[Variable, ...]:
    """Return the variables of a script that leaves a line and lives for a while."""
    pairs = {"WITNESS": str(witness), "SECONDS": str(seconds)}
    return tuple(Variable(name=name, value=value) for name, value in pairs.items())


def test_a_run_is_claimed_armed_released_and_told_with_its_log(crew: CrewOnStage) -> None:
    crew.install("sales==1.0", SALES)
    crew.begin()

    offer = crew.offer("sales==1.0", variables=(crew.secret("SHOP_TOKEN", "hunter2-secret"),))
    exited = crew.waits_for(Exited, offer.run)
    logged = crew.waits_for(Logged, offer.run)

    assert exited.end is AttemptEnd.SUCCEEDED, exited
    assert [line.text for line in crew.lines(offer.run)] == [f"{offer.run} 42", "token ***"]
    assert logged.lines == 2
    [armed] = crew.told(Armed, offer.run)
    assert armed.package == "sales==1.0"
    assert armed.claimed_at is not None
    [released] = crew.told(Released, offer.run)
    assert released.at >= offer.not_before


def test_what_was_shipped_leaves_no_folder(crew: CrewOnStage) -> None:
    crew.install("sales==1.0", "print(1)")
    crew.begin()
    offer = crew.offer("sales==1.0")

    crew.waits_for(Logged, offer.run)

    crew.until(lambda: not list(crew.folder.runs.iterdir()))


def test_heartbeats_list_what_runs_and_its_slot(crew: CrewOnStage, tmp_path: Path) -> None:
    crew.install("pump==1.0", WITNESS)
    crew.begin()
    offer = crew.offer("pump==1.0", variables=told_to_write(tmp_path / "witness", 30.0))

    crew.waits_for(Released, offer.run)
    heartbeat = crew.heartbeat()

    assert [held.run for held in heartbeat.held] == [offer.run]
    assert heartbeat.free_slots == heartbeat.slots - 1


def test_a_killed_runner_disturbs_nothing_and_the_end_is_told(
    crew: CrewOnStage, tmp_path: Path
) -> None:
    witness = tmp_path / "witness"
    crew.install("pump==1.0", WITNESS)
    crew.begin()
    offer = crew.offer("pump==1.0", variables=told_to_write(witness, 3.0))
    crew.waits_for(Released, offer.run)
    first = crew.heartbeat().incarnation

    crew.kill("runner")
    crew.until(lambda: crew.heartbeat().incarnation > first)
    crew.waits_for(Exited, offer.run)

    assert witness.read_text() == f"{offer.run} 1\n"
    assert crew.told(Exited, offer.run)[0].end is AttemptEnd.SUCCEEDED


def test_with_all_actors_killed_a_run_goes_on_and_its_end_is_told_later(
    crew: CrewOnStage, tmp_path: Path
) -> None:
    witness = tmp_path / "witness"
    crew.install("pump==1.0", WITNESS)
    crew.begin()
    offer = crew.offer("pump==1.0", variables=told_to_write(witness, 1.0))
    crew.waits_for(Released, offer.run)

    crew.kill_everything()
    crew.stage.play(2.0)
    before = crew.told(Exited, offer.run)
    crew.begin()
    exited = crew.waits_for(Exited, offer.run)

    assert before == []
    assert exited.end is AttemptEnd.SUCCEEDED
    assert witness.read_text() == f"{offer.run} 1\n"


def test_a_stop_of_the_leader_ends_a_released_run(crew: CrewOnStage, tmp_path: Path) -> None:
    crew.install("pump==1.0", WITNESS)
    crew.begin()
    offer = crew.offer("pump==1.0", variables=told_to_write(tmp_path / "witness", 600.0))
    crew.waits_for(Released, offer.run)

    crew.withdraw(offer, LeaderReason.STOPPED)
    exited = crew.waits_for(Exited, offer.run)

    assert exited.end is AttemptEnd.STOPPED
    assert exited.reason == "stopped by anna"


def reasons_of(crew: CrewOnStage, run: str) -> set[LeaderReason | None]:
    """Return why the run was not started, as Runner and Recorder tell it."""
    return {told.leader_reason for told in crew.told(NotStarted, run)}


def test_a_withdrawn_run_never_begins(crew: CrewOnStage, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    crew.install("pump==1.0", WITNESS)
    crew.begin()
    offer = crew.offer("pump==1.0", due=20.0, variables=told_to_write(witness, 0.0))
    crew.waits_for(Armed, offer.run)

    crew.withdraw(offer, LeaderReason.SUSPENDED)
    crew.until(lambda: LeaderReason.SUSPENDED in reasons_of(crew, offer.run))
    crew.until(lambda: not list(crew.folder.runs.iterdir()))
    assert {told.why for told in crew.told(NotStarted, offer.run)} == {NotStartedReason.WITHDRAWN}
    assert not witness.exists()


def test_a_package_that_cannot_be_installed_ends_with_the_reason(crew: CrewOnStage) -> None:
    crew.begin()

    offer = crew.offer("nowhere==1.0", window=20.0)
    told = crew.waits_for(NotStarted, offer.run)

    assert told.why is NotStartedReason.INSTALLATION
    assert "nowhere" in told.reason
    crew.until(lambda: bool(crew.told(Heartbeat)[-1].builds))


def test_a_run_over_its_memory_limit_is_ended(crew: CrewOnStage) -> None:
    crew.install("glutton==1.0", "import time\nblock = bytearray(200_000_000)\ntime.sleep(600)\n")
    crew.begin()

    offer = crew.offer("glutton==1.0", memory_limit=100_000_000)
    exited = crew.waits_for(Exited, offer.run)

    assert exited.end is AttemptEnd.FAILED
    assert "memory" in exited.reason

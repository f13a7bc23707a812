"""The Recorder with a real shim: nothing is lost, whatever is down, killed or damaged."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from thespian.actors import ActorAddress

from kirby.actors.recorder import Recorder
from kirby.core.configuration import HostConfiguration
from kirby.core.messages import Begin
from kirby.core.names import Host as HostName
from kirby.core.nouns import AttemptEnd
from kirby.core.records import Armed, Exited, Lines, Logged, Stream, TopicName, decode
from kirby.host.keys import load_or_create_keys
from kirby.host.shim_messages import Taken
from tests.builders.shim_host import Host
from tests.builders.stage import Stage
from tests.fakes.kafka import FakeKafka

pytestmark = pytest.mark.integration


class Archive:
    """A real shim, a Recorder on a stage, and a log that can be down."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.host = Host(path).start()
        load_or_create_keys(self.host.folder)
        self.kafka = FakeKafka()
        monkeypatch.setattr("kirby.actors.recorder.Kafka", lambda settings: self.kafka)
        self.stage = Stage()

    def begin(self) -> None:
        self.stage.enter(Recorder, "recorder")
        begin = Begin(
            configuration=HostConfiguration(name=HostName("alpha"), state=str(self.path)),
            state_folder=self.host.folder.prepare(),
            life=1,
            started=datetime.now(UTC),
            runner=ActorAddress("runner"),
        )
        self.stage.post("recorder", begin, "supervisor")

    @property
    def path(self) -> Path:
        return self.host.folder.path

    def close(self) -> None:
        self.stage.close()
        self.host.end()

    def records(self, topic: TopicName, run: str) -> list[Any]:
        """Return what stands in the log of a run, in order."""
        entries = (entry for partition in range(6) for entry in self.kafka.log((topic, partition)))
        found = [decode(topic, entry.value) for entry in entries if entry.value is not None]
        return [record for record in found if getattr(record, "run", "") == run]

    def steps(self, taken: Taken) -> list[Any]:
        return self.records(TopicName.RUNS, taken.run)

    def lines(self, taken: Taken) -> dict[int, str]:
        """Return the texts by their numbers: what was told twice counts once."""
        batches: list[Lines] = self.records(TopicName.LOGS, taken.run)
        return {
            batch.first + place: line.text
            for batch in batches
            for place, line in enumerate(batch.lines)
        }

    def is_gone(self, taken: Taken) -> bool:
        return not Path(taken.folder).exists()


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    archive = Archive(tmp_path / "state", monkeypatch)
    yield archive
    archive.close()


def test_steps_and_lines_are_told_and_the_folder_goes(archive: Archive) -> None:
    archive.begin()

    taken = archive.host.arm("echo one; echo two >&2")
    archive.stage.until(lambda: archive.is_gone(taken))

    kinds = [type(step) for step in archive.steps(taken)]
    assert kinds[0] is Armed
    assert {Exited, Logged} <= set(kinds)
    assert sorted(archive.lines(taken).values()) == ["one", "two"]


def test_with_kafka_down_everything_waits_and_nothing_is_lost(archive: Archive) -> None:
    archive.kafka.down()
    archive.begin()
    runs = [archive.host.arm(f"echo {number}") for number in range(40)]
    for taken in runs:
        archive.host.end_of(taken)
    archive.stage.play(1.0)
    archive.kafka.give_up()
    archive.stage.play(1.0)
    before = [taken for taken in runs if archive.steps(taken)]

    archive.kafka.up()
    archive.stage.until(lambda: all(archive.is_gone(taken) for taken in runs))

    assert before == []
    assert [list(archive.lines(taken).values()) for taken in runs] == [
        [str(number)] for number in range(40)
    ]


def test_a_recorder_killed_in_the_middle_leaves_no_gap(archive: Archive) -> None:
    archive.begin()
    taken = archive.host.arm("i=0; while [ $i -lt 3000 ]; do echo $i; i=$((i+1)); done; sleep 1")
    archive.stage.until(lambda: len(archive.lines(taken)) > 100)

    archive.stage.kill("recorder")
    archive.begin()
    archive.stage.until(lambda: archive.is_gone(taken))

    lines = archive.lines(taken)
    assert [lines[number] for number in range(3000)] == [str(number) for number in range(3000)]


def test_the_lines_of_a_script_that_lives_are_told_while_it_lives(archive: Archive) -> None:
    archive.begin()

    taken = archive.host.arm("echo early; sleep 60")

    archive.stage.until(lambda: list(archive.lines(taken).values()) == ["early"])
    archive.stage.until(lambda: any(isinstance(step, Logged) for step in archive.steps(taken)))


def test_output_over_the_limit_is_marked_and_the_end_is_told(archive: Archive) -> None:
    archive.begin()

    taken = archive.host.arm("yes abcdefghijklmnop | head -c 3000000", output_limit=1_000_000)
    archive.stage.until(lambda: archive.is_gone(taken))

    batches: list[Lines] = archive.records(TopicName.LOGS, taken.run)
    notes = [line for batch in batches for line in batch.lines if line.stream is Stream.KIRBY]
    logged = [step for step in archive.steps(taken) if isinstance(step, Logged)][-1]
    assert len(notes) == 1
    assert "dropped" in notes[0].text
    assert logged.dropped_bytes > 1_000_000


def test_a_damaged_journal_is_set_aside_and_its_attempt_ends_with_that_reason(
    archive: Archive,
) -> None:
    taken = archive.host.arm("echo one")
    archive.host.end_of(taken)
    journal = Path(taken.folder) / "journal"
    journal.write_bytes(b"{broken\n" + journal.read_bytes())

    archive.begin()
    archive.stage.until(lambda: archive.is_gone(taken))

    [end] = [step for step in archive.steps(taken) if isinstance(step, Exited)]
    assert end.end is AttemptEnd.LOST
    assert "set-aside" in end.reason
    assert [each.name for each in (archive.path / "set-aside").iterdir()] == [
        Path(taken.folder).name
    ]
    archive.stage.until(lambda: taken.key not in {h.key for h in archive.host.client.holdings()})


def test_damaged_output_keeps_the_true_end(archive: Archive) -> None:
    taken = archive.host.arm("echo one; exit 3")
    archive.host.end_of(taken)
    (Path(taken.folder) / "output.000001").write_bytes(b"\xff" * 100)

    archive.begin()
    archive.stage.until(lambda: archive.is_gone(taken))

    [end] = [step for step in archive.steps(taken) if isinstance(step, Exited)]
    assert (end.end, end.exit_status) == (AttemptEnd.FAILED, 3)
    assert (archive.path / "set-aside").is_dir()


def test_what_a_daemon_has_said_and_was_shipped_is_removed(archive: Archive) -> None:
    archive.begin()

    taken = archive.host.daemon("yes abcdefghijklmnop | head -c 9000000; sleep 60")

    def first_is_gone() -> bool:
        return not (Path(taken.folder) / "output.000001").exists()

    archive.stage.until(lambda: len(archive.lines(taken)) > 10_000 and first_is_gone())

from pathlib import Path

import pytest

from kirby.shim import scribe
from kirby.shim.folder import RunFolder
from kirby.shim.memory import Memory
from kirby.shim.process import Process
from kirby.shim.requests import Order
from kirby.shim.scribe import LONGEST_QUIET_NS, QUIET_EACH_NS, Scribe
from tests.builders.shim import NOW, request


@pytest.fixture
def pen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scribe:
    monkeypatch.setattr(scribe, "boot_ns", lambda: NOW)
    return Scribe(Memory(str(tmp_path / "taken"), list), "boot")


@pytest.fixture
def process(tmp_path: Path) -> Process:
    order = Order(request())
    folder = RunFolder(str(tmp_path / "pump.prod@1.1"))
    folder.make(order, "boot")
    return Process(order, folder, "mark")


def journal(process: Process) -> list[object]:
    return [step["step"] for step in process.folder.steps]


def test_a_step_is_in_the_journal_only_once_it_is_on_the_disk(
    pen: Scribe, process: Process
) -> None:
    pen.note(process, {"step": "armed"})

    before = journal(process), list(pen.told)
    pen.memory.sync()
    pen.publish()

    assert before == ([], [])
    assert journal(process) == ["armed"]
    assert [step["event"] for step in pen.told] == ["armed"]


def test_what_can_wait_is_written_before_what_cannot(pen: Scribe, process: Process) -> None:
    pen.note(process, {"step": "released"}, lazily=True)
    pen.note(process, {"step": "first_line"}, lazily=True)
    pen.note(process, {"step": "exited"})
    pen.publish()

    assert journal(process) == ["released", "first_line", "exited"]


def test_the_quiet_after_a_release_grows_with_the_scripts_and_has_an_end(pen: Scribe) -> None:
    pen.be_quiet()
    one = pen.quiet_until
    for _ in range(1_000):
        pen.be_quiet()

    assert one == NOW + QUIET_EACH_NS
    assert pen.quiet_until == NOW + LONGEST_QUIET_NS
    assert pen.moment_at == pen.quiet_until

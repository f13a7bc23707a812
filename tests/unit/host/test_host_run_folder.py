import struct
from pathlib import Path
from typing import Any

import pytest

from kirby.core.errors import Damaged
from kirby.core.names import AttemptId
from kirby.core.shipping.folders import Progress
from kirby.host.run_folder import RunFolder, run_folders

ARMED = (
    b'{"run":"pump/prod@1","attempt":2,"context":"pump/prod","kind":"run","incarnation":7,'
    b'"at_ns":5,"meta":{"package":"pump==1.0"},"argv":["python"]}'
)
JOURNAL = b'{"step":"armed","at_ns":5}\n{"step":"exited","at_ns":9,"status":3}\n'


def frame(text: bytes, stream: int = 1) -> bytes:
    return struct.pack("<QBI", 5, stream, len(text)) + text


def a_folder(runs: Path, name: str = "pump.prod@1.2", **files: Any) -> RunFolder:
    path = runs / name
    path.mkdir()
    for file, content in {"armed.json": ARMED, "journal": JOURNAL, **files}.items():
        (path / file.replace("output_", "output.")).write_bytes(content)
    return RunFolder(path=path)


def test_what_was_armed_and_what_happened_are_read(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)

    assert folder.order().meta.package == "pump==1.0"
    assert [entry.step for entry in folder.journal()] == ["armed", "exited"]
    assert folder.attempt == AttemptId(run="pump/prod@1", attempt=2)


def test_zeros_behind_the_journal_are_no_steps(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, journal=JOURNAL + b"\0" * 100)

    assert len(folder.journal()) == 2


def test_a_damaged_or_missing_file_is_told_by_its_name(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, **dict[str, Any]({"armed.json": b"{", "shipped.json": b"[]"}))
    (folder.path / "journal").unlink()

    for read, name in (
        (folder.order, "armed"),
        (folder.journal, "journal"),
        (folder.progress, "s"),
    ):
        with pytest.raises(Damaged, match=name):
            read()


def test_progress_is_nothing_until_it_is_kept(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    before = folder.progress()

    folder.keep(Progress(steps=2, lines=40))

    assert before == Progress()
    assert folder.progress() == Progress(steps=2, lines=40)


def test_output_is_read_on_from_where_it_was_left(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, output_000001=frame(b"one") + frame(b"two"))

    first = folder.chunk(Progress())
    rest = folder.chunk(Progress(offset=len(frame(b"one"))))

    assert first.data == frame(b"one") + frame(b"two")
    assert rest.data == frame(b"two")
    assert (rest.is_last, rest.next_file) == (True, None)


def test_a_file_that_is_followed_by_another_is_over(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, output_000001=frame(b"one"), output_000002=frame(b"two"))

    chunk = folder.chunk(Progress())

    assert (chunk.is_last, chunk.next_file) == (False, 2)


def test_a_long_file_is_read_in_pieces(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, output_000001=b"x" * 100, output_000002=b"y")

    piece = folder.chunk(Progress(), limit=60)
    rest = folder.chunk(Progress(offset=60), limit=60)

    assert (len(piece.data), piece.is_last, piece.next_file) == (60, False, None)
    assert (len(rest.data), rest.is_last, rest.next_file) == (40, False, 2)


def test_before_anything_was_said_there_is_nothing(tmp_path: Path) -> None:
    chunk = a_folder(tmp_path).chunk(Progress())

    assert (chunk.data, chunk.is_last, chunk.next_file) == (b"", True, None)


def test_a_removed_file_is_passed_over(tmp_path: Path) -> None:
    folder = a_folder(tmp_path, output_000001=b"1", output_000002=b"2", output_000003=b"3")

    folder.drop_output_before(3)

    assert folder.output_files() == [3]
    assert folder.chunk(Progress(file=1)).next_file == 3
    assert folder.last_output() == b"3"


def test_a_folder_that_is_set_aside_is_no_longer_among_the_runs(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    runs.mkdir()
    kept, gone = a_folder(runs, "pump.prod@1.1"), a_folder(runs)
    (runs / "lost+found").mkdir()

    target = gone.set_aside(tmp_path / "set-aside")

    assert list(run_folders(runs)) == [kept]
    assert (target / "armed.json").exists()

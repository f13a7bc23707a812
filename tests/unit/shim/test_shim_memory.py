import errno
import os
from pathlib import Path

import pytest

from kirby.shim import memory
from kirby.shim.folder import RunFolder, read_lines
from kirby.shim.memory import KEPT_NS, Memory
from kirby.shim.requests import Order, Request, kept_order
from tests.builders.shim import request


def a_memory(folder: Path, newest: int = 7) -> Memory:
    return Memory(str(folder), lambda: [{"newest": newest}])


def line(number: int) -> Request:
    return {"run": "pump/prod@1", "attempt": number, "step": "armed", "padding": "x" * 500}


def attempts(memory: Memory) -> list[object]:
    return [found["attempt"] for found in memory.read() if "attempt" in found]


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_what_was_synced_is_read_back_by_the_next_shim(tmp_path: Path) -> None:
    first = a_memory(tmp_path)
    for number in range(3):
        first.append(line(number))
    synced = first.sync()

    assert synced
    assert attempts(a_memory(tmp_path)) == [0, 1, 2]


def test_the_next_shim_begins_a_file_of_its_own_and_keeps_the_order(tmp_path: Path) -> None:
    for number in range(3):
        one = a_memory(tmp_path)
        one.append(line(number))
        one.sync()

    assert attempts(a_memory(tmp_path)) == [0, 1, 2]


def test_each_file_begins_with_what_must_never_be_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SEGMENT", 2_000)
    one = a_memory(tmp_path)
    for number in range(10):
        one.append(line(number))
        one.sync()

    files = sorted(tmp_path.iterdir())
    assert len(files) > 2
    assert all(read_lines(file.read_bytes())[0][0] == {"newest": 7} for file in files)
    assert attempts(one) == list(range(10))


def test_files_older_than_a_day_are_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "SEGMENT", 2_000)
    one = a_memory(tmp_path)
    for number in range(10):
        one.append(line(number))
        one.sync()
    oldest = min(tmp_path.iterdir())
    os.utime(oldest, ns=(0, oldest.stat().st_mtime_ns - KEPT_NS - 1))

    one.prune()

    assert not oldest.exists()
    assert attempts(one)[-1] == 9


def test_on_a_full_disk_nothing_new_has_room_but_the_ends_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "BLOCK", 40_000)
    one = a_memory(tmp_path)
    assert one.has_room(1_000, held=3)
    monkeypatch.setattr(os, "posix_fallocate", full)

    room = one.has_room(40_000, held=3)
    one.append(line(1))

    assert not room
    assert one.sync()


def test_what_waits_for_its_sync_does_not_look_like_a_full_disk(tmp_path: Path) -> None:
    one = a_memory(tmp_path)
    one.append(line(1))

    assert one.has_room(1_000, held=1)


def test_while_the_disk_refuses_to_sync_nothing_new_has_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = a_memory(tmp_path)
    one.append(line(1))
    monkeypatch.setattr(os, "fdatasync", full)

    one.sync()

    assert not one.has_room(1_000, held=1)


def test_what_could_not_be_synced_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = a_memory(tmp_path)
    one.append(line(1))
    with monkeypatch.context() as patched:
        patched.setattr(os, "fdatasync", full)
        failed = one.sync()

    again = one.sync()

    assert (failed, again) == (False, True)
    assert attempts(one) == [1]


def test_half_a_line_and_zeros_at_the_end_are_no_lines() -> None:
    lines, end = read_lines(b'{"step":"armed"}\n{"step":"par\0\0\0\0')

    assert lines == [{"step": "armed"}]
    assert end == 17


def test_a_folder_goes_on_after_its_last_whole_line(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "pump.prod@1.1"))
    folder.make(Order(request()), "boot")
    folder.append({"step": "armed"})

    again = RunFolder(folder.path)
    again.load()
    again.append({"step": "parked"})
    again.close()

    assert (tmp_path / "pump.prod@1.1" / "journal").read_bytes() == (
        b'{"step":"armed"}\n{"step":"parked"}\n'
    )


def test_variables_never_touch_the_disk(tmp_path: Path) -> None:
    folder = RunFolder(str(tmp_path / "pump.prod@1.1"))

    folder.make(Order(request(env={"SECRET": "sesame"})), "boot")

    files = [path for path in (tmp_path / "pump.prod@1.1").iterdir() if path.is_file()]
    assert files
    assert not any(b"sesame" in path.read_bytes() for path in files)


def test_a_folder_that_cannot_be_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "posix_fallocate", full)

    with pytest.raises(OSError, match="No space left"):
        RunFolder(str(tmp_path / "pump.prod@1.1")).make(Order(request()), "boot")

    assert list(tmp_path.iterdir()) == []


def test_an_order_is_read_back_from_what_was_kept_of_it() -> None:
    order = Order(request(meta={"package": "pump==1.0"}))

    again = kept_order(order.kept())

    assert again.env == {}
    assert again.kept() == order.kept()

import errno
import os
from pathlib import Path

import pytest

from kirby.shim import frames
from kirby.shim.frames import FRAME, KIRBY, Frames, numbers

OUT, ERR = 1, 2


def kept(folder: Path) -> list[tuple[int, bytes]]:
    """Return stream and bytes of every frame below a folder."""
    found = []
    for number in numbers(str(folder)):
        data = (folder / f"output.{number:06}").read_bytes()
        while data:
            _, stream, length = FRAME.unpack_from(data)
            found.append((stream, data[FRAME.size : FRAME.size + length]))
            data = data[FRAME.size + length :]
    return found


def a_writer(folder: Path, limit: int = 1_000_000, *, endless: bool = False) -> Frames:
    return Frames(str(folder), limit, endless)


def test_what_was_said_is_kept_in_order_and_by_stream(tmp_path: Path) -> None:
    writer = a_writer(tmp_path)

    writer.write(OUT, b"118 sales\n")
    writer.write(ERR, b"slow\n")
    writer.finish()

    assert kept(tmp_path) == [(OUT, b"118 sales\n"), (ERR, b"slow\n")]
    assert writer.dropped == 0


def test_over_the_limit_output_is_dropped_counted_and_marked_but_the_last_is_kept(
    tmp_path: Path,
) -> None:
    writer = a_writer(tmp_path, limit=1_000)

    for number in range(10):
        writer.write(OUT, bytes([number]) * 40_000)
    writer.finish()

    (stream, mark), *tail = kept(tmp_path)
    assert stream == KIRBY
    assert mark == b"320000 bytes of output were dropped here: over the limit of 1000 bytes"
    assert tail == [(OUT, bytes([8]) * 40_000), (OUT, bytes([9]) * 40_000)]
    assert writer.dropped == 320_000


def test_a_run_over_its_limit_has_one_gap(tmp_path: Path) -> None:
    writer = a_writer(tmp_path, limit=1_000)

    writer.write(OUT, b"x" * 70_000)
    writer.write(OUT, b"y" * 70_000)
    writer.write(OUT, b"small enough")
    writer.finish()

    assert [stream for stream, _ in kept(tmp_path)] == [KIRBY, OUT, OUT]


def test_files_are_short_so_that_shipped_ones_can_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "SEGMENT", 100)
    writer = a_writer(tmp_path)

    for _ in range(3):
        writer.write(OUT, b"x" * 100)
    writer.finish()

    assert numbers(str(tmp_path)) == [1, 2, 3]


def test_a_daemon_goes_on_once_its_shipped_files_are_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(frames, "SEGMENT", 50_000)
    writer = a_writer(tmp_path, limit=210_000, endless=True)
    for _ in range(5):
        writer.write(OUT, b"x" * 50_000)
    for number in numbers(str(tmp_path))[:-1]:
        (tmp_path / f"output.{number:06}").unlink()

    for _ in range(frames.LOOK_AGAIN // 50_000 + 1):
        writer.write(OUT, b"y" * 50_000)
    writer.write(OUT, b"here again")

    found = kept(tmp_path)
    assert [stream for stream, _ in found][:2] == [OUT, KIRBY]
    assert found[-1] == (OUT, b"here again")


def test_on_a_full_disk_output_is_dropped_and_no_half_frame_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = a_writer(tmp_path)
    writer.write(OUT, b"before")
    real = os.writev

    def full(descriptor: int, parts: list[bytes]) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "writev", full)
    writer.write(OUT, b"lost" * 20_000)
    monkeypatch.setattr(os, "writev", lambda file, parts: os.write(file, parts[0][:5]))
    writer.write(OUT, b"lost")
    monkeypatch.setattr(os, "writev", real)
    writer.write(OUT, b"after")
    writer.finish()

    assert kept(tmp_path) == [
        (OUT, b"before"),
        (KIRBY, b"80004 bytes of output were dropped here: the disk is full"),
        (OUT, b"after"),
    ]


def test_a_new_shim_goes_on_in_a_file_of_its_own(tmp_path: Path) -> None:
    first = a_writer(tmp_path)
    first.write(OUT, b"before")

    second = a_writer(tmp_path)
    second.write(OUT, b"after")
    second.finish()

    assert numbers(str(tmp_path)) == [1, 2]

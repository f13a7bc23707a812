"""Locks of a host and processes that are found again."""

import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from kirby.host import locks
from kirby.host.processes import Detached, ProcessId, identify

DEAF = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("deaf", flush=True)
time.sleep(60)
"""
HOLD = """
import sys
from pathlib import Path
from kirby.host import locks
lock = locks.take(Path(sys.argv[1]))
lock.say("pid 4711")
print("held", flush=True)
sys.stdin.read()
"""


def a_holder(path: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    holder.stdout.readline()
    return holder


def test_a_lock_is_held_once_and_says_by_whom(tmp_path: Path) -> None:
    holder = a_holder(tmp_path / "lock")

    with pytest.raises(locks.Taken) as taken:
        locks.take(tmp_path / "lock")
    holder.kill()
    holder.communicate()

    assert taken.value.said == "pid 4711"


def test_a_lock_is_free_the_moment_its_holder_is_killed(tmp_path: Path) -> None:
    holder = a_holder(tmp_path / "lock")
    before = locks.is_taken(tmp_path / "lock")

    holder.kill()
    holder.communicate()

    assert before
    assert not locks.is_taken(tmp_path / "lock")


def test_a_lock_does_not_pass_to_a_forked_child(tmp_path: Path) -> None:
    lock = locks.take(tmp_path / "lock")
    reader, writer = os.pipe()
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writer)
        os.write(tell, b"1")
        os.read(reader, 1)
        os._exit(0)
    os.read(told, 1)  # the child lives, and has let the lock go

    lock.release()
    free = not locks.is_taken(tmp_path / "lock")
    for descriptor in (writer, reader, told, tell):
        os.close(descriptor)
    os.waitpid(child, 0)

    assert free


def test_a_detached_process_is_found_again_and_ended(tmp_path: Path) -> None:
    record = tmp_path / "sleep.json"
    started = Detached(record=record).start(
        ["sleep", "60"], log=tmp_path / "sleep.log", env=os.environ
    )

    found = Detached(record=record).running()
    Detached(record=record).end(grace_s=5)

    assert found == started
    assert os.getsid(os.getpid()) != started.pid
    assert not started.lives
    assert not record.exists()


def test_a_pid_that_went_to_another_process_is_not_taken_for_the_old_one(tmp_path: Path) -> None:
    me = identify(os.getpid())
    assert me is not None
    earlier = ProcessId(pid=me.pid, start_ticks=me.start_ticks - 1, boot_id=me.boot_id)
    (tmp_path / "old.json").write_bytes(msgspec.json.encode(earlier))

    assert Detached(record=tmp_path / "old.json").running() is None


def test_a_damaged_record_names_no_process(tmp_path: Path) -> None:
    (tmp_path / "bad.json").write_text("{")

    assert Detached(record=tmp_path / "bad.json").running() is None


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    record = tmp_path / "deaf.json"
    started = Detached(record=record).start(
        [sys.executable, "-c", DEAF], log=tmp_path / "deaf.log", env=os.environ
    )
    while not (tmp_path / "deaf.log").read_text():
        assert started.lives

    Detached(record=record).end(grace_s=0.1)

    assert not started.lives

"""Scripts of every kind, each with its true end and nothing of it left."""

import os
import socket
from pathlib import Path

import pytest

from kirby.core.names import AttemptId
from kirby.host.processes import wait_until
from kirby.host.shim_messages import NotDone, Refusal, ShimEvent
from tests.builders.shim_host import LIMIT_S, Host, is_gone, lives, readable

pytestmark = pytest.mark.integration
FORKS = "sleep 600 & echo $! > ../child; exit 0"
ESCAPES = """
import os, pathlib, time
if not os.fork():
    os.setsid()
    if not os.fork():
        pathlib.Path("../child").write_text(str(os.getpid()))
        os.close(0); os.close(1); os.close(2)
        time.sleep(600)
    os._exit(0)
while not pathlib.Path("../child").exists():
    time.sleep(0.01)
"""


HIDES = """
import os, pathlib, time
if not os.fork():
    os.setsid()
    if not os.fork():
        pathlib.Path("../child").write_text(str(os.getpid()))
        os.execve("/bin/sleep", ["sleep", "600"], {})
    os._exit(0)
while not pathlib.Path("../child").exists():
    time.sleep(0.01)
"""


def child_of(folder: str) -> int:
    path = Path(folder) / "child"
    assert wait_until(lambda: path.exists() and path.read_text() != "", LIMIT_S)
    return int(path.read_text())


def test_a_script_that_fails_ends_with_its_status(one_host: Host) -> None:
    taken = one_host.arm("echo oven is cold >&2; exit 3")

    end = one_host.end_of(taken)

    assert (end.step, end.status, end.signal, end.stop) == ("exited", 3, None, "")
    assert one_host.output(taken) == b"oven is cold\n"


def test_a_script_that_ends_at_once_ends_well(one_host: Host) -> None:
    taken = one_host.arm("true")

    end = one_host.end_of(taken)

    assert (end.status, end.signal) == (0, None)
    assert one_host.steps(taken) == ["armed", "releasing", "released", "exited"]


def test_what_a_script_used_is_told(one_host: Host) -> None:
    taken = one_host.arm("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")

    end = one_host.end_of(taken)

    assert end.utime + end.stime > 0
    assert end.maxrss > 100_000
    assert end.seconds > 0


def test_a_script_that_hangs_is_ended_at_its_time_limit(one_host: Host) -> None:
    taken = one_host.arm("sleep 600", time_limit_ms=200)

    end = one_host.end_of(taken)

    assert (end.signal, end.stop) == (15, "time limit")
    assert one_host.step(taken, "stop_asked").sentence == "over its time limit of 0.2 s"


def test_a_script_that_ignores_sigterm_is_killed_after_its_grace(host: Host) -> None:
    taken = host.arm("trap '' TERM; echo deaf; while :; do sleep 600; done", grace_ms=200)
    host.said(taken, b"deaf")

    host.stop(taken.key)

    end = host.end_of(taken)
    assert (end.signal, end.stop) == (9, "asked")


def test_children_that_a_script_leaves_behind_end_with_it(host: Host) -> None:
    taken = host.arm(FORKS)

    end = host.end_of(taken)

    assert end.status == 0
    assert not lives(child_of(taken.folder))


def test_children_that_escaped_into_a_session_of_their_own_end_too(host: Host) -> None:
    python = "/usr/bin/env"
    order = host.order(argv=(python, "python3", "-c", ESCAPES))

    taken = host.client.arm(order)

    assert host.end_of(taken).status == 0
    assert not lives(child_of(taken.folder))


def test_children_that_shed_everything_that_tells_whose_they_are_end_too(host: Host) -> None:
    taken = host.client.arm(host.order(argv=("/usr/bin/env", "python3", "-c", HIDES)))

    assert host.end_of(taken).status == 0
    assert not lives(child_of(taken.folder))


def test_a_stop_reaches_the_whole_tree(host: Host) -> None:
    taken = host.arm("trap 'exit 0' TERM; sleep 600 & echo $! > ../child; wait")
    child = child_of(taken.folder)

    host.stop(taken.key, sentence="stopped by anna", by="anna")

    assert host.end_of(taken).stop == "asked"
    assert not lives(child)
    assert host.step(taken, "stop_asked").sentence == "stopped by anna"


def test_100_mb_of_output_are_bounded_and_the_last_words_kept(one_host: Host) -> None:
    neighbour = one_host.arm("echo first; read line < ../go; echo second")
    taken = one_host.arm("yes 0123456789 | head -c 100000000; echo last words")
    os.mkfifo(Path(neighbour.folder) / "go")

    end = one_host.end_of(taken)

    kept = sum(file.stat().st_size for file in Path(taken.folder).glob("output.*"))
    assert end.status == 0
    assert 49_000_000 < kept < 51_000_000
    assert 49_000_000 < end.dropped_bytes < 51_000_000
    assert b" bytes of output were dropped here: over the limit" in one_host.output(taken)
    assert one_host.output(taken).endswith(b"last words\n")
    one_host.stop(neighbour.key)


def test_what_is_no_program_is_refused_and_leaves_nothing(one_host: Host) -> None:
    with pytest.raises(NotDone) as refused:
        one_host.client.arm(one_host.order(argv=("/no/such/python", "-m", "bread"), prestart=True))

    assert list(one_host.folder.runs.iterdir()) == []
    assert refused.value.refusal is Refusal.NOT_FOUND


def test_a_hundred_scripts_due_at_once_all_end_well(one_host: Host) -> None:
    taken = [one_host.arm(f"echo {number}") for number in range(100)]

    ends = [one_host.end_of(one) for one in taken]

    assert {end.status for end in ends} == {0}
    assert [int(one_host.output(one)) for one in taken] == list(range(100))


def test_a_script_has_a_place_of_its_own(one_host: Host) -> None:
    taken = one_host.arm("pwd; umask; ps -o pid=,sid= -p $$; readlink /proc/$$/fd/0")

    one_host.end_of(taken)

    where, mask, pid_and_session, stdin = one_host.output(taken).decode().splitlines()
    pid, session = pid_and_session.split()
    assert (where, mask, stdin) == (f"{taken.folder}/work", "0077", "/dev/null")
    assert pid == session


def test_a_script_finds_its_variables_and_nothing_else(one_host: Host) -> None:
    order = one_host.order(argv=("/usr/bin/env",), env={"SHOP": "http://shop", "KIRBY_JOB": "pump"})

    taken = one_host.client.arm(order)

    one_host.end_of(taken)
    place = one_host.folder.path.stat()
    assert set(one_host.output(taken).decode().splitlines()) == {
        "SHOP=http://shop",
        "KIRBY_JOB=pump",
        f"KIRBY_RUN_ID={taken.run}",
        "KIRBY_ATTEMPT=1",
        "KIRBY_LOG_FD=3",
        f"KIRBY_MARK={place.st_dev:x}-{place.st_ino:x}",
    }


def test_variables_never_touch_the_disk(one_host: Host) -> None:
    taken = one_host.arm("sleep 600", env={"TOKEN": "open-sesame", "PATH": os.environ["PATH"]})
    one_host.step(taken, "released")

    files = [path for path in one_host.folder.path.rglob("*") if path.is_file()]

    assert files
    assert not [path for path in files if b"open-sesame" in path.read_bytes()]


def test_log_records_take_a_pipe_of_their_own(one_host: Host) -> None:
    taken = one_host.arm("echo said; echo logged >&$KIRBY_LOG_FD")

    one_host.end_of(taken)

    raw = (Path(taken.folder) / "output.000001").read_bytes()
    streams = {raw[8], raw[13 + 5 + 8]}
    assert streams == {1, 3}


def test_a_folder_goes_when_it_was_shipped(one_host: Host) -> None:
    taken = one_host.arm("echo left > file")
    one_host.end_of(taken)

    one_host.client.shipped(taken.key)

    assert not Path(taken.folder).exists()
    assert one_host.client.holdings() == ()
    removed = one_host.folder.shim / "removed"
    assert wait_until(lambda: not any(removed.iterdir()), LIMIT_S)


def test_every_step_is_pushed_to_those_who_watch(one_host: Host) -> None:
    one_host.client.watch()

    taken = one_host.arm("exit 4")

    told: list[tuple[AttemptId, str]] = []
    while len(told) < 4:
        assert readable(one_host.client.fileno())
        told += [
            (one.key, one.step) for one in one_host.client.pump() if isinstance(one, ShimEvent)
        ]
    assert told == [(taken.key, step) for step in ("armed", "releasing", "released", "exited")]


def test_only_this_user_may_ask_and_nonsense_is_cut_off(one_host: Host) -> None:
    stranger = socket.socket(socket.AF_UNIX)
    stranger.settimeout(LIMIT_S)
    stranger.connect(str(one_host.folder.shim_socket))

    stranger.sendall(b"\xff\xff\xff\xff nonsense")

    assert stranger.recv(1) == b""
    assert one_host.folder.shim_socket.stat().st_mode & 0o077 == 0
    assert one_host.client.holdings() == ()


def test_the_end_with_scripts_ends_them_all(host: Host) -> None:
    taken = [host.arm("sleep 600") for _ in range(3)]
    pids = [host.step(one, "released").pid for one in taken]

    host.end()

    assert all(is_gone(pid) for pid in pids)
    assert [host.end_of(one).stop for one in taken] == ["asked"] * 3


def test_the_same_attempt_of_another_state_folder_is_left_alone(tmp_path: Path) -> None:
    one, other = (Host(tmp_path / name, groups=False).start() for name in ("one", "other"))
    try:
        waits = "echo $$ > ../child; while [ ! -e ../go ]; do sleep 0.05; done; sleep 600 &"
        taken = one.arm(waits, run="pump/prod@same")
        child_of(taken.folder)
        neighbour = other.arm("echo $$ > ../child; exec sleep 600", run="pump/prod@same")
        pid = child_of(neighbour.folder)

        Path(taken.folder, "go").touch()

        assert one.end_of(taken).status == 0
        assert lives(pid)
    finally:
        one.end()
        other.end()

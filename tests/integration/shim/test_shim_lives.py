"""The shim dies and another comes: what had begun goes on, what had not is said so."""

import contextlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from kirby.core.errors import ShimRefused, ShimUnreachable
from kirby.core.names import AttemptId, Incarnation
from kirby.core.records import Phase
from kirby.host import shim_process, shim_socket
from kirby.host.processes import wait_until
from kirby.host.shim_client import ShimClient
from kirby.host.shim_messages import Listed, NotDone, Refusal, ShimPhase
from kirby.host.state import StateFolder
from tests.builders.shim_host import (
    INCARNATION,
    LIMIT_S,
    Host,
    in_seconds,
    is_gone,
    kill,
    lives,
    readable,
)

pytestmark = pytest.mark.integration
SPEAKS_WHEN_ASKED = "read line < ../go; echo $line; exit 5"
TMPFS_BYTES = 4_000_000


def held(host: Host, attempt: AttemptId) -> Listed:
    return next(one for one in host.client.holdings() if one.key == attempt)


def go(folder: str, word: str = "again") -> None:
    with (Path(folder) / "go").open("w") as pipe:
        pipe.write(f"{word}\n")


def test_a_script_survives_its_shim_and_its_true_end_is_told(host: Host) -> None:
    taken = host.arm(f"mkfifo ../go; echo ready; {SPEAKS_WHEN_ASKED}")
    host.said(taken, b"ready")

    host.kill()
    host.start()
    adopted = held(host, taken.key)
    go(taken.folder)
    end = host.end_of(taken)

    assert adopted.phase is Phase.RUNNING
    assert (end.step, end.status, end.stop) == ("exited", 5, "")
    assert host.output(taken) == b"ready\nagain\n"


def test_what_a_script_says_while_no_shim_lives_is_not_lost(one_host: Host) -> None:
    taken = one_host.arm("mkfifo ../go; echo ready; read line < ../go; seq 100000; exit 0")
    one_host.said(taken, b"ready")
    one_host.kill()

    go(taken.folder)
    time.sleep(0.3)  # it fills its pipe and waits: half a megabyte is more than a pipe holds
    one_host.start()

    assert one_host.end_of(taken).status == 0
    numbers = one_host.output(taken).splitlines()[1:]
    assert numbers == [str(number).encode() for number in range(1, 100_001)]


def test_a_script_that_ended_while_no_shim_lived_is_lost(host: Host) -> None:
    taken = host.arm("echo ready; sleep 600 & echo $! > ../child; wait")
    host.said(taken, b"ready")
    pid = host.step(taken, "released").pid
    assert wait_until(lambda: (Path(taken.folder) / "child").exists(), LIMIT_S)
    child = int((Path(taken.folder) / "child").read_text())

    host.kill()
    kill(pid)
    assert is_gone(pid)
    host.start()

    end = host.end_of(taken)
    assert end.step == "lost"
    assert "exit status is lost" in end.sentence
    assert not lives(child)


def test_an_adopted_script_keeps_its_time_limit(host: Host) -> None:
    taken = host.arm("sleep 600", time_limit_ms=1_500)
    host.step(taken, "released")

    host.kill()
    host.start()

    end = host.end_of(taken)
    assert (end.signal, end.stop) == (15, "time limit")


def test_an_adopted_daemon_is_still_the_only_one(host: Host) -> None:
    taken = host.daemon("sleep 600")
    pid = host.step(taken, "released").pid

    host.kill()
    host.start()
    with pytest.raises(NotDone) as refused:
        host.daemon("sleep 600")
    host.stop(AttemptId(run=taken.run, attempt=0))
    host.end_of(taken)
    next_life = host.daemon("sleep 600")

    assert refused.value.refusal is Refusal.ALIVE
    assert refused.value.held is not None
    assert refused.value.held.key == taken.key
    assert is_gone(pid)
    assert next_life.attempt == 2


def test_nothing_is_taken_twice_however_often_the_shim_dies(one_host: Host) -> None:
    order = one_host.order(argv=("/bin/sh", "-c", "echo x >> ../../../witness"))
    taken = one_host.client.arm(order)
    one_host.end_of(taken)

    repeated = one_host.client.arm(order)
    one_host.client.shipped(taken.key)
    after_shipping = one_host.client.arm(order)
    one_host.kill()
    one_host.start()
    after_death = one_host.client.arm(order)

    assert (repeated.phase, after_shipping.phase, after_death.phase) == (ShimPhase.ENDED,) * 3
    assert (one_host.folder.path / "witness").read_text() == "x\n"
    assert list(one_host.folder.runs.iterdir()) == []


def test_a_bar_and_the_newest_incarnation_outlive_the_shim(one_host: Host) -> None:
    attempt = AttemptId(run="pump/prod@barred", attempt=1)
    barred = one_host.client.bar(attempt, INCARNATION)
    one_host.client.hello(Incarnation(9))

    one_host.kill()
    with pytest.raises(NotDone) as refused_hello:
        one_host.start()
    with pytest.raises(NotDone) as refused_arm:
        one_host.arm(run=attempt.run, incarnation=Incarnation(9))

    assert barred is ShimPhase.BARRED
    assert refused_hello.value.refusal is Refusal.SUPERSEDED
    assert refused_hello.value.newest == 9
    assert refused_arm.value.refusal is Refusal.BARRED


def test_after_a_restart_of_the_machine_what_ran_is_lost_and_what_did_not_never_began(
    one_host: Host,
) -> None:
    ran = one_host.arm("sleep 600")
    waited = one_host.arm("true", not_before_boot_ns=in_seconds(600))
    pid = one_host.step(ran, "released").pid
    one_host.kill()
    for taken in (ran, waited):
        record = Path(taken.folder) / "armed.json"
        armed = json.loads(record.read_text())
        record.write_text(json.dumps({**armed, "boot_id": "another life"}))

    one_host.start()

    assert one_host.end_of(ran).sentence.startswith("the host was restarted while it ran")
    assert one_host.end_of(waited).why == "interrupted"
    os.killpg(pid, signal.SIGKILL)


def test_a_journal_that_a_power_failure_cut_is_mended_from_the_memory(one_host: Host) -> None:
    taken = one_host.arm("exit 3")
    end = one_host.end_of(taken)
    one_host.kill()
    journal = Path(taken.folder) / "journal"
    journal.write_bytes(journal.read_bytes()[:100])

    one_host.start()

    assert one_host.steps(taken) == ["armed", "releasing", "released", "exited"]
    assert one_host.end_of(taken) == end


def test_a_folder_that_a_power_failure_took_is_made_again(one_host: Host) -> None:
    taken = one_host.arm("exit 3")
    end = one_host.end_of(taken)
    one_host.kill()
    subprocess.run(["rm", "-r", taken.folder], check=True)

    one_host.start()

    assert one_host.end_of(taken) == end


def test_an_exclusive_script_dies_with_its_shim_and_its_children_with_the_next(
    host: Host,
) -> None:
    host.client.renew(INCARNATION, lease_ends_boot_ns=in_seconds(600))
    taken = host.arm("sleep 600 & echo $! > ../child; echo ready; wait", exclusive=True)
    host.said(taken, b"ready")
    pid = host.step(taken, "released").pid
    child = int((Path(taken.folder) / "child").read_text())

    host.kill()

    assert is_gone(pid)
    host.start()
    assert not lives(child)
    assert host.end_of(taken).step == "lost"


def test_an_exclusive_script_dies_with_the_lease_though_nobody_speaks(host: Host) -> None:
    host.client.renew(INCARNATION, lease_ends_boot_ns=in_seconds(1.0))
    taken = host.arm("trap '' TERM; sleep 600 & wait; sleep 600", exclusive=True)
    other = host.arm("sleep 600")

    end = host.end_of(taken)

    assert (end.signal, end.stop) == (9, "lease")
    assert host.steps(other)[-1] == "released"


def test_an_older_runner_is_told_of_the_newer_one(one_host: Host) -> None:
    older = ShimClient(one_host.folder.shim)
    greeting = one_host.client.hello(Incarnation(8))

    with pytest.raises(NotDone) as refused:
        older.bar(AttemptId(run="pump/prod@1", attempt=1), INCARNATION)

    older.close()
    assert greeting.newest == 8
    assert refused.value.refusal is Refusal.SUPERSEDED


def test_a_full_disk_refuses_what_is_new_and_tells_the_ends_of_the_old(tmp_path: Path) -> None:
    if os.geteuid():
        pytest.skip("only root can mount a small disk")
    mount = tmp_path / "disk"
    mount.mkdir()
    options = ["-o", f"size={TMPFS_BYTES}", "-t", "tmpfs"]
    subprocess.run(["mount", *options, "tmpfs", mount], check=True)
    host = Host(mount / "state")
    try:
        host.start()
        taken = host.arm("mkfifo ../go; echo ready; read line < ../go; exit 5")
        host.said(taken, b"ready")
        fill(mount / "filler")

        with pytest.raises(NotDone) as refused:
            arm_many(host)
        go(taken.folder)
        end = host.end_of(taken)
        (mount / "filler").unlink()

        assert refused.value.refusal is Refusal.FULL
        assert end.status == 5
        assert host.end_of(host.arm("true")).status == 0
    finally:
        host.end()
        subprocess.run(["umount", mount], check=True)


def fill(path: Path) -> None:
    """Write until the disk is full."""
    filler = os.open(path, os.O_WRONLY | os.O_CREAT)
    with contextlib.suppress(OSError):
        while os.write(filler, b"x" * 4096):
            pass
    os.close(filler)


def arm_many(host: Host) -> None:
    """Arm until it is refused."""
    for _ in range(200):
        host.arm("true", not_before_boot_ns=in_seconds(600))


def test_however_many_start_it_one_shim_serves(tmp_path: Path) -> None:
    folder = StateFolder(path=tmp_path / "state")
    folder.prepare()
    command = [*shim_process.command(folder), "--detach"]
    starts = [subprocess.Popen(command) for _ in range(5)]

    shim_process.ensure(folder)
    for one in starts:
        one.wait()

    serving = shim_process.running(folder)
    assert serving is not None
    with_the_folder = [
        process
        for process in Path("/proc").glob("[0-9]*/cmdline")
        if str(folder.path).encode() in _text(process)
    ]
    assert wait_until(lambda: _alone(serving, with_the_folder), LIMIT_S)
    shim_process.end(folder, with_scripts=False)
    assert shim_process.running(folder) is None


def _text(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def _alone(pid: int, processes: list[Path]) -> bool:
    living = [path for path in processes if _text(path)]
    return living == [Path(f"/proc/{pid}/cmdline")]


def test_a_shim_with_scripts_is_not_ended_without_them(tmp_path: Path) -> None:
    host = Host(tmp_path / "state")
    host.start()
    taken = host.arm("sleep 600")
    pid = host.step(taken, "released").pid

    with pytest.raises(ShimRefused, match="1 script lives"):
        shim_process.end(host.folder, with_scripts=False)

    assert shim_process.living_scripts(host.folder) == [(taken.run, pid)]
    host.end()
    assert shim_process.living_scripts(host.folder) == []


def test_a_state_folder_may_lie_very_deep(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a-folder-with-a-long-name"] * 8)
    host = Host(deep).start()

    assert host.end_of(host.arm("exit 0")).status == 0
    host.end()


def test_without_a_shim_the_client_says_so(tmp_path: Path) -> None:
    (tmp_path / "shim").mkdir()

    with pytest.raises(ShimUnreachable, match="no shim answers"):
        ShimClient(tmp_path / "shim")


def test_a_shim_that_ends_is_noticed_by_those_who_watch(one_host: Host) -> None:
    client = ShimClient(one_host.folder.shim)
    client.watch()

    one_host.kill()

    assert readable(client.fileno())
    with pytest.raises(ShimUnreachable, match="has ended"):
        client.pump()
    one_host.start()


def test_the_shim_stays_small(one_host: Host) -> None:
    for one in [one_host.arm("true") for _ in range(50)]:
        one_host.end_of(one)

    assert one_host.process
    status = Path(f"/proc/{one_host.process.pid}/status").read_text()
    resident = int(status.partition("VmRSS:")[2].split()[0])
    assert resident < 14_000  # 12 MB, and what fifty folders' steps take


def test_silent_peers_shut_nobody_out_and_take_no_more_descriptors_than_their_share(
    one_host: Host,
) -> None:
    asking = ShimClient(one_host.folder.shim)
    asking.holdings()
    silent = [shim_socket.connect_to(one_host.folder.shim / "socket", LIMIT_S) for _ in range(300)]
    silent[0].send(b"\0\0")

    taken = one_host.arm("exec sleep 600", run="pump/prod@crowd")
    late = ShimClient(one_host.folder.shim)

    assert [each.run for each in late.holdings()] == [taken.run]
    assert [each.run for each in asking.holdings()] == [taken.run]
    assert one_host.process
    assert len(list(Path(f"/proc/{one_host.process.pid}/fd").iterdir())) < 200
    for each in silent:
        each.close()


def until_refused(host: Host) -> tuple[int, Refusal | None]:
    """Arm one script after the other; return how many were taken, and why no more."""
    for taken in range(100):
        try:
            host.arm("exec sleep 600")
        except NotDone as fault:
            return taken, fault.refusal
    return 100, None


def test_what_the_limit_of_open_files_cannot_hold_is_refused_and_the_rest_stays_in_reach(
    tmp_path: Path,
) -> None:
    host = Host(tmp_path / "state")
    host.start(open_files=512)
    try:
        taken, refused = until_refused(host)
        clients = [ShimClient(host.folder.shim) for _ in range(120)]
        for each in clients:
            each.holdings()

        assert refused is Refusal.NO_ROOM
        assert taken >= 40
        assert len(clients[-1].holdings()) == taken
        for each in clients:
            each.close()
    finally:
        host.end()

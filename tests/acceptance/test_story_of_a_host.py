"""The life of one host: what it refuses, what it survives, what it leaves behind."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kirby.core.errors import ExitCode
from tests.stories import anatomy, processes
from tests.stories.command_line import PROGRAM
from tests.stories.host import Host
from tests.stories.jobs import errand, servant
from tests.stories.ledger import instant
from tests.stories.patience import eventually
from tests.stories.schedules import due_instants, without_an_end

# The leader learns of a change within a second, and what it offered before is parked for two.
LOOKS = 4

pytestmark = pytest.mark.acceptance


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Host]:
    """Give a host that shall not come to live."""
    host = Host(tmp_path / "other", name="beta")
    yield host
    host.clean_up()


def ask_and_leave(host: Host) -> None:
    """Ask for the status as `kirby status` does, and be gone before it is answered."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(str(host.state / "control"))
        link.sendall(b'{"do": "status"}\n')


def test_whoever_asks_and_does_not_wait_for_the_answer_ends_no_host(own_host: Host) -> None:
    pid = own_host.status()["pid"]

    for _ in range(3):
        ask_and_leave(own_host)

    assert own_host.is_whole()["pid"] == pid


def test_a_host_that_is_too_busy_to_answer_is_told_of_in_a_sentence(own_host: Host) -> None:
    (start,) = anatomy.pids_of("start process", own_host.is_whole())
    os.kill(start, signal.SIGSTOP)

    said = own_host.kirby("status")
    os.kill(start, signal.SIGCONT)

    assert said.code == ExitCode.CONFLICT
    assert f"Kirby (pid {start})" in said.err
    assert "does not answer now" in said.err
    own_host.is_whole()


def test_a_second_start_on_a_state_folder_in_use_is_refused(own_host: Host) -> None:
    pid = own_host.status()["pid"]

    said = own_host.kirby("start", "--port", str(other_port(own_host)))

    assert said.code == ExitCode.STATE_IN_USE
    assert f"another Kirby (pid {pid}, since " in said.err
    assert "Traceback" not in said.err
    assert own_host.is_whole()["pid"] == pid


def test_a_start_on_a_taken_port_is_refused(own_host: Host, other: Host) -> None:
    other.begin(port=own_host.port)

    assert other.wait_for_the_end() == ExitCode.PORT_IN_USE
    assert str(own_host.port) in other.said
    assert processes.of_folder(other.state) == []


def test_a_start_without_a_reachable_kafka_is_refused(tmp_path: Path) -> None:
    nobody = f"127.0.0.1:{other_port()}"
    host = Host(tmp_path / "alone", flags=["--kafka", nobody])

    host.begin()

    assert host.wait_for_the_end() == ExitCode.KAFKA_UNREACHABLE
    assert nobody in host.said
    assert processes.of_folder(host.state) == []


def other_port(host: Host | None = None) -> int:
    with socket.socket() as probe:
        probe.bind((host.address if host else "127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_whole_host_that_was_down_catches_up_as_each_context_says(own_host: Host) -> None:
    host, cron = own_host, "*/5 * * * * *"
    window = {"start_window": "3 s"}
    host.applies(
        {
            "only-latest": errand("succeed", cron, **window),
            "every-one": errand("succeed", cron, catch_up="all", **window),
            "not-one": errand("succeed", cron, catch_up="none", **window),
        }
    )
    names = ("only-latest", "every-one", "not-one")
    eventually(
        lambda: all(host.witness.began(f"{name}/prod") for name in names), what="each has fired"
    )
    host.stop()
    down = datetime.now(UTC)
    assert processes.of_folder(host.state) == []
    eventually(lambda: datetime.now(UTC) - down > timedelta(seconds=12), what="time has passed")

    up = datetime.now(UTC)
    host.start()
    due = due_instants([(cron, "UTC")], down, up - timedelta(seconds=4))
    eventually(
        lambda: {name: without_an_end(due, host.ledger.fires(name)) for name in names},
        what="each fire in the gap has its end",
        until=lambda open_fires: not any(open_fires.values()),
    )

    ran = {name: host.witness.dues(f"{name}/prod", among=due) for name in names}
    assert len(due) >= 2
    assert ran["every-one"] == due
    assert ran["not-one"] == []
    assert set(ran["only-latest"]) <= {due[-1]}
    missed = [f for f in host.ledger.fires("not-one", end="missed") if f.get("stretch")]
    assert any(instant(f["first"]) <= due[0] and due[-1] <= instant(f["last"]) for f in missed)
    assert host.witness.twice() == {}


def has_come_to_rest(host: Host) -> bool:
    """Whether nothing lives, also once the leader has learnt that nothing more is to be done."""
    for _ in range(LOOKS):
        if host.status()["scripts"]:
            return False
        time.sleep(1)
    return True


def test_a_stop_while_nothing_runs_leaves_no_process_no_lock_and_no_port(own_host: Host) -> None:
    host = own_host
    host.applies_document({"job": {"idle": errand("succeed")}}, "--prune").well()
    eventually(lambda: has_come_to_rest(host), what="what ran before has ended")
    named = anatomy.all_pids(host.is_whole())

    host.stop()

    assert [pid for pid in named if processes.lives(pid)] == []
    assert processes.of_folder(host.state) == []
    assert not (host.state / "host.json").exists()
    for port in (host.port, host.web_port):
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind((host.address, port))
    assert host.kirby("status").code == ExitCode.NOT_FOUND
    assert host.kirby("stop").code == ExitCode.NOT_FOUND


def test_a_stop_with_scripts_ends_the_scripts_in_good_order(own_host: Host) -> None:
    host = own_host
    host.start()
    host.applies({"lodger": servant()})
    eventually(lambda: host.witness.began("lodger/prod"), what="the lodger lives")

    host.stop("--with-scripts")

    assert [e.step for e in host.witness.entries(of="lodger/prod#alpha")] == ["began", "ended"]
    assert processes.of_folder(host.state) == []


def test_ctrl_c_ends_everything_where_kafka_is_embedded(own_host: Host) -> None:
    host = own_host
    host.start()
    eventually(lambda: len(host.witness.began("lodger/prod")) == 2, what="the lodger lives again")

    assert host.interrupt(signal.SIGINT) == ExitCode.OK

    assert processes.of_folder(host.state) == []


def test_a_reader_that_leaves_early_sees_no_traceback(own_host: Host) -> None:
    shell = f"{' '.join(PROGRAM)} start --help | true; {' '.join(PROGRAM)} --help | head -c 1"

    done = subprocess.run(
        ["bash", "-c", shell], capture_output=True, text=True, timeout=60, check=False
    )

    assert "Traceback" not in done.stderr

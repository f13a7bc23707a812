"""A host's start process: what it keeps alive, what it refuses, what it leaves behind."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from kirby.actors import control, system
from kirby.core.errors import Conflict, ExitCode
from kirby.host import locks
from kirby.host.processes import Detached, wait_until
from tests.builders.hosts import ADDRESS, TestHost, actor

pytestmark = pytest.mark.integration


@pytest.fixture
def host(tmp_path: Path) -> Iterator[TestHost]:
    host = TestHost(tmp_path / "state")
    yield host
    host.clean_up()


def is_another(status: dict[str, Any], name: str, pid: int) -> bool:
    return actor(status, name).get("pid", pid) != pid


def times_made_anew(status: dict[str, Any], name: str) -> int:
    actors = (status["supervisor"] or {}).get("actors", [])
    return sum(a["recreated"] for a in actors if a["name"] == name)


def heard_by_the_arbiter(status: dict[str, Any], since: int = 0) -> list[str]:
    heard: list[str] = actor(status, "arbiter").get("facts", {}).get("heard", [])
    return heard[since:]


def test_the_crew_is_introduced_to_each_other(host: TestHost) -> None:
    status = host.started().wait_for(
        lambda s: (
            "incarnation 10" in actor(s, "watchdog-2")["facts"]["heard"]
            and len(actor(s, "arbiter")["facts"]["heard"]) >= 5
        )
    )

    arbiter = actor(status, "arbiter")["facts"]["heard"]
    assert arbiter[0] == "begin oven life 1"
    assert "incarnation 10" in arbiter
    assert "watchdog of pump/prod" in arbiter
    assert "take lead 1" in actor(status, "scheduler")["facts"]["heard"]
    assert sorted(actor(status, "watchdog-1")["contexts"]) == ["oven/prod", "pump/prod"]
    assert actor(status, "watchdog-2")["contexts"] == ["pump/dev"]
    assert status["supervisor"]["leader"] == "oven"
    assert (status["host"], status["address"]) == ("oven", ADDRESS)


def test_what_actors_log_stands_in_one_file_whenever_their_loggers_were_made(
    host: TestHost,
) -> None:
    host.started()

    log = host.folder.log / "actors.log"

    assert wait_until(lambda: "kirby.kafka  the bread is in the oven" in log.read_text(), 60)


@pytest.mark.parametrize("name", ["runner", "scheduler", "watchdog-1"])
def test_a_killed_actor_is_made_anew_and_the_others_live_on(host: TestHost, name: str) -> None:
    before = host.started().wait_for(lambda s: True)
    pid, heard = actor(before, name)["pid"], heard_by_the_arbiter(before)

    os.kill(pid, signal.SIGKILL)
    told = "watchdog of oven/prod" if "dog" in name else f"{name} moved"
    after = host.wait_for(
        lambda s: (
            is_another(s, name, pid)
            and bool(s["supervisor"]["leader"])
            and told in heard_by_the_arbiter(s, since=len(heard))
        )
    )

    assert actor(after, name)["recreated"] == 1
    others = {"runner", "arbiter", "recorder", "scheduler", "watchdog-1", "watchdog-2"} - {name}
    assert {o: actor(after, o)["pid"] for o in others} == {
        o: actor(before, o)["pid"] for o in others
    }


@pytest.mark.parametrize("whom", ["supervisor", "admin"])
def test_a_killed_supervisor_or_admin_is_started_anew_with_all_below(
    host: TestHost, whom: str
) -> None:
    before = host.started().wait_for(lambda s: True)
    family = host.family()
    pid = before["admin_pid"] if whom == "admin" else before["supervisor"]["pid"]

    os.kill(pid, signal.SIGKILL)
    after = host.wait_for(lambda s: is_another(s, "watchdog-2", actor(before, "watchdog-2")["pid"]))

    assert after["supervisor"]["life"] == before["supervisor"]["life"] + 1
    assert after["pid"] == before["pid"]
    assert [p["pid"] for p in after["services"]] == [p["pid"] for p in before["services"]]
    gone = {p.pid for p in family} - {p.pid for p in host.family()}
    assert len(gone) >= len(family) - 2  # admin and logger outlive the Supervisor


def test_a_killed_logger_brings_the_admin_down_and_all_comes_back(host: TestHost) -> None:
    before = host.started().wait_for(lambda s: True)
    known = {a["pid"] for a in before["supervisor"]["actors"]}
    known |= {before["admin_pid"], before["supervisor"]["pid"]}
    (logger,) = [process for process in host.family() if process.pid not in known]

    logger.kill()
    after = host.wait_for(
        lambda s: bool(actor(s, "watchdog-2")) and bool(s["supervisor"]["leader"])
    )

    assert actor(after, "runner")


def test_while_another_process_has_an_actors_lock_the_actor_does_not_begin(
    host: TestHost,
) -> None:
    others = locks.take(host.folder.path / "locks" / "arbiter")
    host.start()
    status = host.wait_for(lambda s: bool(actor(s, "runner")))
    early = actor(status, "arbiter")

    others.release()

    assert early == {}
    assert host.wait_for(lambda s: bool(actor(s, "arbiter")))


def test_a_stopped_actor_does_not_hold_up_the_end(host: TestHost) -> None:
    status = host.started().wait_for(lambda s: True)
    family = host.family()
    os.kill(actor(status, "arbiter")["pid"], signal.SIGSTOP)
    assert host.process is not None

    host.process.terminate()
    code, _ = host.ended()

    assert code == 0
    assert [process for process in family if process.is_running()] == []


def test_after_a_kill_of_everything_a_restart_works_and_finds_the_shim(host: TestHost) -> None:
    before = host.started().wait_for(lambda s: True)
    family = host.family()
    assert host.process is not None

    host.process.kill()
    host.process.wait()
    _, alive = psutil.wait_procs(family, timeout=30)
    after = host.started().wait_for(lambda s: True)

    assert alive == []
    assert after["supervisor"]["life"] == 2
    assert after["services"] == before["services"]


def test_a_stop_leaves_no_process_no_lock_and_no_port(host: TestHost) -> None:
    status = host.started().wait_for(lambda s: True)
    family = host.family()

    answers = list(control.ask(host.folder, {"do": "stop"}, within_s=60))
    code, _ = host.ended()

    assert (answers, code) == ([{"done": True}], 0)
    assert [process for process in family if process.is_running()] == []
    assert not psutil.pid_exists(status["services"][0]["pid"])
    assert not locks.is_taken(host.folder.lock)
    assert not host.folder.host.exists()
    with socket.socket() as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((ADDRESS, host.port))


def test_while_a_script_lives_the_shim_stays_and_both_are_named(host: TestHost) -> None:
    status = host.started().wait_for(lambda s: True)
    shim = status["services"][0]["pid"]
    script = Detached(record=host.folder.path / "script.json").start(
        ["sleep", "600"], log=host.folder.log / "script.log", env=os.environ
    )
    assert host.process is not None

    host.process.terminate()
    code, said = host.ended()

    assert code == 0
    assert f"pump/prod#oven goes on (pid {script.pid})" in said
    assert f"the shim stays for it (pid {shim})" in said
    assert script.lives
    assert psutil.pid_exists(shim)


def test_a_shim_that_may_hold_scripts_unseen_stays(host: TestHost) -> None:
    host.start(env={"TEST_SHIM_IS_MUTE": "yes"})
    status = host.wait_for(lambda s: bool(actor(s, "runner")))
    shim = status["services"][0]["pid"]
    assert host.process is not None

    host.process.terminate()
    code, said = host.ended()

    assert code == 0
    assert f"the shim stays because the shim does not answer (pid {shim})" in said
    assert psutil.pid_exists(shim)


def test_a_stop_with_scripts_ends_everything(host: TestHost) -> None:
    status = host.started().wait_for(lambda s: True)
    script = Detached(record=host.folder.path / "script.json").start(
        ["sleep", "600"], log=host.folder.log / "script.log", env=os.environ
    )

    list(control.ask(host.folder, {"do": "stop", "with_scripts": True}, within_s=60))
    code, _ = host.ended()

    assert code == 0
    assert not script.lives
    assert not psutil.pid_exists(status["services"][0]["pid"])


def test_a_state_folder_in_use_is_refused_with_its_holder_named(host: TestHost) -> None:
    host.started()
    assert host.process is not None
    second = TestHost(host.folder.path)

    second.start()
    code, said = second.ended()

    assert code == ExitCode.STATE_IN_USE
    assert f"another Kirby (pid {host.process.pid}, since " in said
    assert "Traceback" not in said
    assert host.status() is not None


def test_a_taken_port_is_refused(host: TestHost) -> None:
    with socket.socket() as taken:
        taken.bind((ADDRESS, 0))
        taken.listen()

        host.start(port=taken.getsockname()[1])
        code, said = host.ended()

    assert code == ExitCode.PORT_IN_USE
    assert "choose another with --port" in said


def test_a_stop_while_it_starts_is_heeded_at_once(host: TestHost) -> None:
    host.start(env={"TEST_SHIM_TAKES": "60"})
    assert wait_until(host.folder.host.exists, 60)

    with pytest.raises(Conflict, match="is just starting"):
        system.status(host.folder, print)
    stopped = system.stop(host.folder, print)
    code, said = host.ended()

    assert (stopped, code, said) == (0, 0, "")
    assert not locks.is_taken(host.folder.lock)


def test_a_kafka_that_does_not_answer_is_refused(host: TestHost) -> None:
    host.start(env={"TEST_KAFKA": f"{ADDRESS}:9"})
    code, said = host.ended()

    assert code == ExitCode.KAFKA_UNREACHABLE
    assert "no Kafka broker answers at" in said
    assert not locks.is_taken(host.folder.lock)


def test_an_actor_that_dies_at_each_start_is_made_anew_ever_more_slowly(tmp_path: Path) -> None:
    host = TestHost(tmp_path / "state", supervisor="SupervisorOfTheDying")
    try:
        host.start()
        status = host.wait_for(
            lambda s: (
                bool(actor(s, "arbiter"))
                and all(times_made_anew(s, r) >= 3 for r in ("runner", "recorder", "scheduler"))
            )
        )

        assert times_made_anew(status, "arbiter") == 0
        assert all(a["recreated"] < 10 for a in status["supervisor"]["actors"])
        assert "no flour" in (host.folder.log / "actors.log").read_text()
    finally:
        host.clean_up()

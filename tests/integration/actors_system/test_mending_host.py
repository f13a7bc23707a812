"""While a service of a host takes long to start anew, everything else goes on."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from kirby.actors import control, system
from kirby.host.processes import wait_until
from tests.builders.hosts import TestHost

pytestmark = pytest.mark.integration
WITH_OVEN = {"TEST_OVEN": "yes"}
PATIENCE_S = 60.0


@pytest.fixture
def host(tmp_path: Path) -> Iterator[TestHost]:
    host = TestHost(tmp_path / "state")
    yield host
    host.clean_up()


def service(status: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each for each in status["services"] if each["name"] == name)


def whose_kafka_died_and_takes_long(host: TestHost) -> dict[str, Any]:
    """Start a host, kill its Kafka, and let nobody start it; return the status before."""
    before = host.started(env=WITH_OVEN).wait_for(lambda s: True)
    (host.folder.path / "oven.is-cold").touch()
    os.kill(service(before, "Kafka")["pid"], signal.SIGKILL)
    host.wait_for(lambda s: service(s, "Kafka")["mending"] is not None)
    return before


def test_the_status_says_what_is_being_restarted_since_when_and_why(host: TestHost) -> None:
    whose_kafka_died_and_takes_long(host)

    said: list[str] = []
    system.status(host.folder, said.append)

    (line,) = [line for line in said if "Kafka" in line]
    assert " being restarted since " in line
    assert line.endswith("because it ended")


def test_meanwhile_another_service_that_dies_is_started_anew(host: TestHost) -> None:
    before = whose_kafka_died_and_takes_long(host)
    shim = service(before, "shim")["pid"]

    os.kill(shim, signal.SIGKILL)

    after = host.wait_for(lambda s: service(s, "shim")["pid"] not in (None, shim))
    assert service(after, "Kafka")["mending"]


def test_meanwhile_an_admin_that_dies_is_started_anew_and_the_try_goes_on(host: TestHost) -> None:
    before = whose_kafka_died_and_takes_long(host)

    os.kill(before["admin_pid"], signal.SIGKILL)
    after = host.wait_for(lambda s: s["admin_pid"] not in (None, before["admin_pid"]))
    (host.folder.path / "oven.is-cold").unlink()

    mended = host.wait_for(lambda s: service(s, "Kafka")["mending"] is None)
    assert service(after, "Kafka")["mending"]["tries"] == 1
    assert service(mended, "Kafka")["pid"] is not None


@pytest.mark.parametrize("how", ["SIGTERM", "kirby stop"])
def test_meanwhile_a_stop_is_heeded_and_nothing_is_left(host: TestHost, how: str) -> None:
    before = whose_kafka_died_and_takes_long(host)
    assert host.process is not None
    family = psutil.Process(host.process.pid).children(recursive=True)

    if how == "SIGTERM":
        host.process.terminate()
    else:
        list(control.ask(host.folder, {"do": "stop"}, within_s=PATIENCE_S))
    code, said = host.ended()

    assert code == 0
    assert "the Kafka ended; it is started anew" in said
    assert wait_until(lambda: not any(p.is_running() for p in family), PATIENCE_S)
    assert not psutil.pid_exists(service(before, "shim")["pid"])


def test_what_is_in_the_way_is_said_once_and_it_goes_on_when_that_is_gone(host: TestHost) -> None:
    before = host.started(env=WITH_OVEN).wait_for(lambda s: True)
    blocked = host.folder.path / "oven.is-blocked"
    blocked.write_text("port 4711 is taken by a cat")
    os.kill(service(before, "Kafka")["pid"], signal.SIGKILL)
    tried = host.wait_for(lambda s: (service(s, "Kafka")["mending"] or {}).get("tries", 0) >= 3)

    blocked.unlink()
    host.wait_for(lambda s: service(s, "Kafka")["mending"] is None)
    assert host.process is not None
    host.process.terminate()
    _, said = host.ended()

    assert service(tried, "Kafka")["mending"]["because"] == "port 4711 is taken by a cat"
    assert said.count("port 4711 is taken by a cat") == 1
    assert "the Kafka runs again" in said

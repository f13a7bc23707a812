"""A host that claims nothing says why: in the API, on its page, in `kirby status`."""

import pytest

from kirby.actors.status import lines_of
from kirby.core.records import Build, BuildState, TopicName
from tests.builders.records import a_heartbeat
from tests.builders.web import Service
from tests.unit.web.test_web_access import signed_in
from tests.unit.web.test_web_runs import tell

FAILED = Build(package="pump==1.0", state=BuildState.FAILED, reason="the index is down")


@pytest.mark.parametrize(
    ("said", "obstacle"),
    [
        ({}, ""),
        ({"draining": True}, "being drained: what it holds goes on"),
        ({"free_slots": 0, "slots": 8}, "no slot is free of 8"),
        ({"builds": (FAILED,)}, "not pump==1.0: the index is down"),
    ],
)
def test_a_host_that_claims_nothing_says_why(said, obstacle, service: Service) -> None:
    tell(a_heartbeat(**said), topic=TopicName.HOSTS)

    (host,) = service.get("/hosts").json["hosts"]
    signed_in(service)
    service.html = True
    page = service.get("/hosts").text

    assert host["obstacle"] == obstacle
    assert obstacle in page


def test_a_host_that_is_silent_says_what_to_look_at(service: Service) -> None:
    tell(a_heartbeat(), topic=TopicName.HOSTS)
    service.pass_time(3600)

    (host,) = service.get("/hosts").json["hosts"]

    assert host["obstacle"].startswith("silent for 1 h")
    assert "see 'kirby status' there" in host["obstacle"]


def test_a_status_tells_below_the_runner_what_keeps_it_from_claiming() -> None:
    runner = {
        "name": "runner",
        "pid": 7,
        "state": "running",
        "recreated": 0,
        "facts": {"obstacles": ["the shim does not answer: nothing can be started here"]},
    }
    status = {
        "host": "alpha",
        "address": "127.0.0.1",
        "port": 1,
        "since": "2026-11-23T12:00:00+00:00",
        "state": "/state",
        "pid": 1,
        "services": [],
        "admin_pid": 2,
        "scripts": [],
        "supervisor": {"pid": 3, "leader": "alpha", "epoch": 1, "actors": [runner]},
    }

    lines = list(lines_of(status))

    place = next(at for at, line in enumerate(lines) if "runner" in line)
    assert lines[place + 1].strip().startswith("kept from claiming: the shim does not answer")

import re
from datetime import timedelta

import pytest

from kirby.core.names import ContextKey, Epoch, Host
from kirby.core.nouns import AttemptEnd, RunEnd
from kirby.core.records import (
    Armed,
    FirstLine,
    Held,
    Instance,
    InstanceState,
    Line,
    Lines,
    Logged,
    Phase,
    Stream,
    Stretch,
    TopicName,
)
from tests.builders.records import (
    DUE,
    RUN,
    a_beat,
    a_heartbeat,
    an_ended,
    an_exited,
    an_offered,
    of_step,
)
from tests.builders.web import Service
from tests.unit.web.test_web_access import signed_in
from tests.unit.web.test_web_runs import tell

EVIL = '<script>alert("x")</script>\x1b[2J'
DOCUMENT = {
    "job": {
        "pump": {
            "about": EVIL,
            "package": "pump==1.0",
            "prod": {"schedule": "*/10 * * * *", "set": {"SITE": EVIL}},
        },
        "tap": {"kind": "daemon", "package": "tap==1.0", "prod": {}},
    },
    "suspension": [
        {
            "context": "pump/prod",
            "from": "2026-12-24T18:00:00Z",
            "to": "2026-12-27T06:00:00Z",
            "reason": EVIL,
        }
    ],
}
PAGES = [
    "/jobs", "/runs", "/runs?end=failed", "/daemons", "/hosts", "/tokens", "/contexts/pump/prod",
    "/contexts/tap/prod", f"/runs/{RUN}", f"/runs/{RUN}/log", "/runs/tap/prod%23alpha/log",
]  # fmt: skip


@pytest.fixture
def full(service: Service) -> Service:
    assert service.post("/document/apply", {"document": DOCUMENT}).status == 200
    tap = Instance(
        context=ContextKey("tap/prod"), state=InstanceState.CRASH_LOOP, restarts=9, reason=EVIL
    )
    held = Held(run=RUN, attempt=2, phase=Phase.RUNNING)
    tell(a_heartbeat(instances=(tap,), held=(held,)), topic=TopicName.HOSTS)
    tell(a_beat(), topic=TopicName.LEADERSHIP)
    tell(
        an_offered(),
        Armed(**of_step(at=DUE - timedelta(seconds=1)), package="pump==1.0"),
        FirstLine(**of_step(), late_us=1400),
        an_exited(end=AttemptEnd.FAILED, reason=EVIL, exit_status=1),
        an_offered(attempt=2),
        FirstLine(**of_step(attempt=2, at=DUE + timedelta(seconds=11)), late_us=900),
        Logged(**of_step(attempt=2), partition=0, first_offset=0, last_offset=0, lines=1),
        an_exited(attempt=2),
        an_ended(reason=EVIL),
        an_exited(run="tap/prod#alpha", end=AttemptEnd.FAILED, reason=EVIL),
        Stretch(
            context=ContextKey("pump/prod"), end=RunEnd.SKIPPED, reason=EVIL, first=DUE, last=DUE,
            count=3, epoch=Epoch(1), at=DUE,
        ),
    )  # fmt: skip
    line = Line(at=DUE, stream=Stream.ERR, text=EVIL)
    service.kafka.batches = [
        Lines(run=RUN, attempt=2, host=Host("alpha"), first=0, lines=(line,)),
    ]
    signed_in(service)
    service.html = True
    return service


@pytest.mark.parametrize("path", PAGES)
def test_a_page_is_whole_and_everything_in_it_is_escaped(path: str, full: Service) -> None:
    answer = full.call("GET", path)

    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/html")
    assert answer.text.startswith("<!doctype html>")
    assert "<script>alert" not in answer.text
    assert "\x1b" not in answer.text
    assert "firing · leader alpha" in answer.text


@pytest.mark.parametrize("path", ["/jobs", "/runs", "/daemons", "/hosts", "/tokens"])
def test_an_empty_page_says_what_to_do_or_that_there_is_nothing(
    path: str, service: Service
) -> None:
    signed_in(service)
    service.html = True

    answer = service.get(path)

    assert answer.status == 200
    assert "<main" in answer.text


@pytest.mark.parametrize("path", PAGES)
def test_no_page_takes_anything_from_elsewhere_or_styles_in_line(path: str, full: Service) -> None:
    text = full.call("GET", path).text

    assert not re.search(r'(src|href)="(https?:)?//', text)
    assert " style=" not in text
    assert not re.search(r" on[a-z]+=", text)


def test_every_form_says_that_one_of_our_pages_asks(full: Service) -> None:
    for path in ("/tokens", "/contexts/pump/prod", "/contexts/tap/prod", f"/runs/{RUN}"):
        text = full.get(path).text
        assert text.count("<form") == text.count('name="csrf"')


def test_a_button_shows_the_command_that_does_the_same(full: Service) -> None:
    text = full.get("/contexts/pump/prod").text

    assert "kirby run pump/prod" in text
    assert "kirby disable pump/prod" in text


def test_a_button_does_what_it_says_and_leads_back(full: Service) -> None:
    csrf = full.get("/tokens").text.split('name="csrf" value="')[1].split('"')[0]

    answer = full.form("/contexts/pump/prod", _method="PATCH", enabled="false", csrf=csrf)

    assert answer.status == 303
    assert answer.headers["Location"].endswith("/contexts/pump/prod")
    assert "disabled" in full.get("/contexts/pump/prod").text


def test_a_form_can_ask_for_a_suspension_and_end_it(full: Service) -> None:
    csrf = full.get("/tokens").text.split('name="csrf" value="')[1].split('"')[0]
    path = "/contexts/pump/prod/suspensions"

    made = full.form(path, duration="2 h", reason="cleaning", csrf=csrf)
    number = re.findall(rf"{path}/(\d+)", full.get("/contexts/pump/prod").text)[0]
    ended = full.form(f"{path}/{number}", _method="DELETE", csrf=csrf)

    assert (made.status, ended.status) == (303, 303)
    assert "cleaning" not in full.get("/contexts/pump/prod").text


def test_the_leader_is_marked_among_the_hosts(full: Service) -> None:
    assert ">leads<" in full.get("/hosts").text


def test_a_browser_that_is_not_known_is_sent_to_where_it_is_told_how_to_come_in(
    service: Service,
) -> None:
    service.token, service.html = "", True

    sent = service.get("/jobs")
    entrance = service.get("/sign-in")

    assert (sent.status, sent.headers["Location"]) == (303, "/sign-in")
    assert entrance.status == 200
    assert "kirby sign-in" in entrance.text


def test_a_stranger_who_wants_to_change_something_is_refused(service: Service) -> None:
    service.token, service.html = "", True

    assert service.form("/contexts/pump/prod/run").status == 401


def test_a_page_is_shown_although_kafka_does_not_answer(full: Service) -> None:
    full.kafka.down = "Kafka at h:1 does not answer"

    answer = full.get(f"/runs/{RUN}")

    assert answer.status == 200
    assert "The log cannot be read now" in answer.text

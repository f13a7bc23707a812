"""What a browser sees between asking for something and its happening."""

import re

import pytest

from kirby.core.names import RunId
from tests.builders.records import an_ended, an_offered
from tests.builders.web import Answer, Service
from tests.unit.web.test_web_pages import full
from tests.unit.web.test_web_runs import tell

__all__ = ["full"]
RUN = RunId("pump/prod@2026-11-23T12:00:00Z~abc123")
RUN_NOW = f"/runs/{RUN}?asked=now"


def press(service: Service, page: str, action: str) -> Answer:
    shown = service.get(page).text
    token = re.search(r'name="csrf" value="([0-9a-f]+)"', shown)
    assert token is not None
    return service.form(action, csrf=token[1])


def test_run_now_leads_to_a_page_that_waits_for_the_leader(full: Service) -> None:
    asked = press(full, "/contexts/pump/prod", "/contexts/pump/prod/run")
    page = full.call("GET", RUN_NOW)

    assert asked.status == 303
    assert asked.headers["Location"].endswith(RUN_NOW)
    assert page.status == 200
    assert "waiting for the leader to offer it" in page.text
    assert 'data-every-ms="700"' in page.text


def test_the_page_becomes_that_of_the_run_once_it_is_offered(full: Service) -> None:
    tell(an_offered(run=RUN, asked_by="anna"))

    page = full.call("GET", RUN_NOW)

    assert "waiting for the leader" not in page.text
    assert "Attempt 1" in page.text


def test_after_half_a_minute_it_says_what_to_look_at(full: Service) -> None:
    full.pass_time(31)

    page = full.call("GET", RUN_NOW)

    assert page.status == 200
    assert "no leader has offered it yet. What to look at" in page.text
    assert "kirby status" in page.text


@pytest.mark.parametrize(
    "path",
    [f"/runs/{RUN}", "/runs/drum/prod@2026-11-23T12:00:00Z~abc123?asked=now",
     "/runs/pump/prod@noon?asked=now", "/runs/pump/prod?asked=now"],
)  # fmt: skip
def test_a_run_that_nobody_can_have_asked_for_is_not_found(path: str, full: Service) -> None:
    assert full.call("GET", path).status == 404


def test_a_stop_that_was_asked_for_is_told_until_the_run_has_ended(full: Service) -> None:
    tell(an_offered(run=RUN, asked_by="anna"))

    asked = press(full, f"/runs/{RUN}", f"/runs/{RUN}/stop")
    waiting = full.call("GET", f"/runs/{RUN}?asked=stop").text
    tell(an_ended(run=RUN))
    ended = full.call("GET", f"/runs/{RUN}?asked=stop").text

    assert asked.headers["Location"].endswith(f"/runs/{RUN}?asked=stop")
    assert "Asked to stop" in waiting
    assert "Asked to stop" not in ended

"""What an operator does in a browser, from the one-time link to the daemon that is restarted."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.browser import Browser, a_browser, skip_without_browser
from tests.stories.host import Host
from tests.stories.jobs import errand, servant
from tests.stories.patience import eventually

pytestmark = pytest.mark.acceptance

JOBS = {
    "oven": errand("succeed", LASTS="0.2"),
    "hourly": errand("succeed", "0 * * * *"),
    "endless": errand("hang"),
    "waiter": servant(),
}
PLACES = ("/jobs", "/runs", "/daemons", "/hosts", "/tokens", "/contexts/oven/prod")


@pytest.fixture(scope="module")
def bakery(shared_host: Host) -> Iterator[Host]:
    skip_without_browser()
    shared_host.applies(JOBS)
    yield shared_host
    for job in JOBS:
        shared_host.kirby("disable", job)


@pytest.fixture(scope="module")
def stranger(bakery: Host) -> Iterator[Browser]:
    with a_browser() as browser:
        yield browser


@pytest.fixture(scope="module")
def operator(bakery: Host, stranger: Browser) -> Browser:
    """Give the same browser, signed in by the link that the command line prints."""
    stranger.opens(bakery.kirby.json("sign-in")["link"])
    stranger.sees("Jobs", "sign out")
    return stranger


@pytest.fixture(autouse=True)
def a_picture_of_a_failure(
    request: pytest.FixtureRequest, stranger: Browser, tmp_path: Path
) -> Iterator[None]:
    failed_before = request.session.testsfailed
    yield
    if request.session.testsfailed > failed_before:
        stranger.pictures(tmp_path / "failed.png")


def url(host: Host, path: str) -> str:
    return f"http://{host.address}:{host.web_port}{path}"


def test_whoever_is_not_signed_in_is_sent_to_the_entrance(bakery, stranger):
    for path in PLACES:
        stranger.opens(url(bakery, path))

        assert stranger.place == "/sign-in"
        assert "kirby sign-in" in stranger.text


def test_a_link_signs_in_once_and_its_cookie_is_out_of_reach_of_scripts(bakery, operator):
    link = bakery.kirby.json("sign-in")["link"]

    operator.opens(link)
    (cookie,) = operator.cookies()
    operator.opens(link)

    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Lax")
    assert operator.cookies_of_scripts() == ""
    operator.sees("Forbidden")


def test_jobs_daemons_and_hosts_are_seen_and_the_leader_is_marked(bakery, operator):
    operator.opens(url(bakery, "/jobs"))
    operator.sees(f"firing · leader {bakery.name}")
    operator.sees_row("oven/prod", "errand==1.0.0")
    operator.sees_row("waiter/prod", "1 running")

    operator.follows("Daemons")
    operator.sees_row("waiter/prod", bakery.name, "running")

    operator.follows("Hosts")
    operator.sees_row(bakery.name, "leads", "lives")


def test_run_now_leads_to_the_run_with_its_end_and_its_log(bakery, operator):
    operator.opens(url(bakery, "/contexts/oven/prod"))

    operator.presses("run now")

    assert operator.place.startswith("/runs/oven/prod@")
    operator.sees("Attempt 1", "succeeded", "It has written nothing.", "run again")
    operator.follows("Runs")
    operator.sees("oven/prod", "succeeded")


def test_a_log_is_read_beside_its_run(bakery, operator):
    bakery.applies({**JOBS, "oven": errand("fail")})
    operator.opens(url(bakery, "/contexts/oven/prod"))

    operator.presses("run now")

    operator.sees("failed", "the oven is cold")


def test_a_schedule_is_suspended_and_that_is_lifted(bakery, operator):
    operator.opens(url(bakery, "/contexts/hourly/prod"))
    operator.writes("duration", "2 h")
    operator.writes("reason", "cleaning")

    operator.presses("suspend")
    operator.sees("suspended until", "cleaning")

    operator.presses("end it")
    operator.sees("It is not suspended.")
    operator.sees_no_more("cleaning")


def test_a_run_is_stopped(bakery, operator):
    operator.opens(url(bakery, "/contexts/endless/prod"))
    operator.presses("run now")
    operator.sees("Attempt 1", "running")

    operator.presses("stop")

    operator.sees("stopped", "run again")


def test_a_daemon_is_restarted(bakery, operator):
    before = bakery.ledger.daemon("waiter")["since"]
    operator.opens(url(bakery, "/contexts/waiter/prod"))

    operator.presses("restart")

    eventually(
        lambda: bakery.ledger.daemon("waiter"),
        what="another life of the waiter",
        until=lambda life: life.get("state") == "running" and life["since"] != before,
    )
    operator.sees_row("waiter/prod", "running")
    operator.sees_row(f"2 {bakery.name}", "running")


def test_no_page_makes_the_browser_complain_and_each_fits_a_telephone(bakery, operator):
    operator.forgets_troubles()

    for path in PLACES:
        operator.opens(url(bakery, path))

        assert operator.troubles == [], path
        assert operator.fits(390), path


def test_who_signs_out_is_a_stranger_again(bakery, operator):
    operator.opens(url(bakery, "/jobs"))

    operator.presses("sign out")
    operator.sees("kirby sign-in")
    operator.opens(url(bakery, "/jobs"))

    assert operator.place == "/sign-in"

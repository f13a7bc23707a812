"""Several web services on one PostgreSQL: any may die, the database too, and all goes on."""

import os
import shutil
import signal
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from kirby.host.state import StateFolder
from kirby.kafka.making import ensure_topics
from kirby.kafka.settings import KafkaSettings
from kirby.model.database import bind, connect, connection
from kirby.model.package_files import keep_package
from tests.builders.web_process import (
    PUMP,
    WebService,
    a_run,
    config_of,
    post,
    run_records,
)
from tests.postgresql_for_tests import PostgresServer, new_postgresql

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]
MANY = 30  # runs: they fall into all partitions


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    found = KafkaSettings(bootstrap=kafka, prefix=topic_prefix)
    ensure_topics(found)
    return found


@pytest.fixture
def postgresql() -> Iterator[PostgresServer]:
    server = new_postgresql()
    yield server
    server.end()


@pytest.fixture
def pair(
    settings: KafkaSettings, postgresql: PostgresServer, tmp_path: Path
) -> Iterator[tuple[WebService, WebService]]:
    config, url = config_of(settings, tmp_path / "kirby.toml"), postgresql.empty()
    services = []
    for name in ("one", "two"):
        folder = StateFolder(path=tmp_path / name)
        folder.prepare()
        services.append(WebService(folder=folder, config=config, database=url))
    one, two = services
    try:
        one.start()
        bind(connect(url))
        with connection():
            keep_package("pump-1.0.tar.gz", "pump", "1.0", b"x", "test", datetime.now(UTC))
        shutil.copy(one.folder.path / "key", two.folder.path / "key")
        two.start()
        yield one, two
    finally:
        for each in services:
            if each.process is not None:
                each.process.kill()
                each.process.wait()


def runs_of(service: WebService) -> dict[str, str]:
    listed = service.get("/runs", limit=200).json()["runs"]
    return {each["run"]: each["end"] for each in listed}


def shows(service: WebService, numbers: range) -> bool:
    shown = runs_of(service)
    return all(shown.get(a_run(number)) == "succeeded" for number in numbers)


def tell_of_runs(settings: KafkaSettings, numbers: range) -> None:
    post(settings, *(record for number in numbers for record in run_records(number)))


def listed(service: WebService) -> dict[str, bool]:
    return {each["url"]: each["alive"] for each in service.get("/web-services").json()["services"]}


def test_both_show_all_and_go_on_when_one_is_killed_in_the_middle(pair, settings):
    one, two = pair
    tell_of_runs(settings, range(MANY))
    for service in pair:
        service.wait_for(lambda service=service: shows(service, range(MANY)))
    assert set(listed(one)) == {one.token["url"], two.token["url"]}
    once = one.post("/sign-in").json()["path"]

    tell_of_runs(settings, range(MANY, 2 * MANY))
    one.end(signal.SIGKILL)
    tell_of_runs(settings, range(2 * MANY, 3 * MANY))

    two.wait_for(lambda: shows(two, range(3 * MANY)))
    applied = two.post("/document/apply", {"document": PUMP, "prune": False, "revision": None})
    assert applied.status_code == 200, applied.text
    assert "pump/prod" in two.get("/schedule").text
    two.wait_for(lambda: listed(two) == {one.token["url"]: False, two.token["url"]: True})
    browser = httpx.Client(base_url=two.token["url"], headers={"Accept": "text/html"})
    assert browser.get(once).status_code == 303
    assert browser.get("/jobs").status_code == 200


def test_a_session_and_a_token_are_good_at_both(pair):
    one, two = pair
    first = httpx.get(one.token["url"] + one.post("/sign-in").json()["path"])
    cookie = first.headers["Set-Cookie"].split(";")[0]

    answer = httpx.get(two.token["url"] + "/jobs", headers={"Cookie": cookie})

    assert answer.status_code == 200
    two.wait_for(lambda: len(listed(two)) == 2)
    assert one.get("/jobs").status_code == 200


def test_one_that_is_frozen_is_left_out_and_doubles_nothing_when_it_thaws(pair, settings):
    one, two = pair
    tell_of_runs(settings, range(MANY))
    two.wait_for(lambda: shows(two, range(MANY)))

    os.kill(one.process.pid, signal.SIGSTOP)
    tell_of_runs(settings, range(MANY, 2 * MANY))
    two.wait_for(lambda: shows(two, range(2 * MANY)))
    os.kill(one.process.pid, signal.SIGCONT)
    tell_of_runs(settings, range(2 * MANY, 3 * MANY))

    for service in pair:
        service.wait_for(lambda service=service: shows(service, range(3 * MANY)))


def test_a_database_that_was_gone_is_used_again_without_a_restart(pair, settings, postgresql):
    one, two = pair
    tell_of_runs(settings, range(MANY))
    one.wait_for(lambda: shows(one, range(MANY)))

    postgresql.stop()
    one.wait_for(lambda: one.get("/ready").status_code == 503)
    assert "does not answer" in str(one.get("/ready").json()["database"])
    tell_of_runs(settings, range(MANY, 2 * MANY))
    postgresql.start()

    for service in (one, two):
        service.wait_for(lambda service=service: service.get("/ready").json()["ok"])
        service.wait_for(lambda service=service: shows(service, range(2 * MANY)))

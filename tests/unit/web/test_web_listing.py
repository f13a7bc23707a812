import os
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import peewee
import pytest

from kirby.model.database import connection
from kirby.model.serving import SEEN_EVERY, see_web_service, web_services
from kirby.web import listing
from kirby.web.listing import Listing
from tests.builders.databases import bind_database

URL = "http://10.0.0.1:8642"
PATIENCE_S = 30.0


@pytest.fixture
def one(tmp_path: Path) -> Listing:
    bind_database(tmp_path)
    return Listing(url=URL, host="alpha", version="0.1.0")


def listed() -> list[tuple[str, int, bool]]:
    with connection():
        return [(each.url, each.pid, each.alive) for each in web_services(datetime.now(UTC))]


def wait_for(what: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_web_service_is_listed_while_it_lives(one: Listing) -> None:
    one.start()
    wait_for(lambda: listed() == [(URL, os.getpid(), True)])

    one.close()

    assert listed() == []


def test_a_database_that_does_not_answer_is_tried_again(
    one: Listing, monkeypatch: pytest.MonkeyPatch
) -> None:
    faults = [peewee.OperationalError("gone")]

    def see(*given: object, **named: object) -> None:
        if faults:
            raise faults.pop()
        see_web_service(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(listing, "see_web_service", see)
    monkeypatch.setattr(listing, "SEEN_EVERY", SEEN_EVERY / 1000)

    one.start()

    wait_for(lambda: listed() != [])
    one.close()

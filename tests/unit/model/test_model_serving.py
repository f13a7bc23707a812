from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from kirby.model.database import writing
from kirby.model.serving import (
    GONE_AFTER,
    forget_web_service,
    see_web_service,
    take_turn,
    web_services,
)
from tests.builders.databases import a_database
from tests.builders.model import NOON, SECOND

HOUR = timedelta(hours=1)
ONE, TWO = "http://10.0.0.1:8642", "http://10.0.0.2:8642"


@pytest.fixture(autouse=True)
def opened(tmp_path: Path) -> Iterator[None]:
    with a_database(tmp_path):
        yield


def see(url: str, now: datetime = NOON, pid: int = 7) -> None:
    see_web_service(url, host="alpha", pid=pid, version="0.1.0", since=NOON, now=now)


def test_each_web_service_lists_itself_and_is_alive_while_it_does() -> None:
    see(ONE)
    see(TWO)
    see(TWO, now=NOON + GONE_AFTER)

    listed = web_services(NOON + GONE_AFTER + SECOND)

    assert [(each.url, each.alive) for each in listed] == [(ONE, False), (TWO, True)]


def test_one_that_ends_is_listed_no_more() -> None:
    see(ONE)

    forget_web_service(ONE, pid=7)

    assert web_services(NOON) == []


def test_one_that_ends_leaves_its_successor_at_the_same_address_in_the_list() -> None:
    see(ONE, pid=7)
    see(ONE, pid=8)

    forget_web_service(ONE, pid=7)

    assert [each.pid for each in web_services(NOON)] == [8]


def test_a_chore_is_done_by_one_and_again_only_when_it_is_time() -> None:
    turns = [take_turn("sweep", HOUR, at) for at in (NOON, NOON, NOON + HOUR - SECOND, NOON + HOUR)]

    assert turns == [True, False, False, True]


def test_a_chore_that_failed_is_the_next_ones_turn_at_once() -> None:
    def sweep_and_fail() -> None:
        with writing():
            assert take_turn("sweep", HOUR, NOON)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        sweep_and_fail()

    assert take_turn("sweep", HOUR, NOON)

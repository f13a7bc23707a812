from datetime import timedelta

import pytest

from kirby.core.nouns import Suspension
from kirby.core.prose import tell_count, tell_distance, tell_instant, tell_next, tell_suspension
from tests.builders.planning import utc

NOW = utc("2026-12-24T13:00")


@pytest.mark.parametrize(
    ("at", "zone", "text"),
    [
        ("2026-12-24T14:10", "UTC", "14:10"),
        ("2026-12-24T14:10", "Europe/Brussels", "15:10"),
        ("2026-12-24T14:10:20", "UTC", "14:10:20"),
        ("2026-12-27T06:00", "UTC", "27 Dec 06:00"),
        ("2027-01-03T06:00", "UTC", "3 Jan 2027 06:00"),
        ("2026-12-24T23:30", "Europe/Brussels", "25 Dec 00:30"),
    ],
)
def test_an_instant_has_no_more_of_the_date_than_is_needed(at: str, zone: str, text: str) -> None:
    assert tell_instant(utc(at), NOW, zone) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.4, "now"),
        (-0.4, "now"),
        (5, "in 5 s"),
        (300, "in 5 min"),
        (-7800, "2 h 10 min ago"),
        (90_000, "in 1 day 1 h"),
        (-200_000, "2 days 7 h ago"),
    ],
)
def test_a_distance_is_told_in_its_two_largest_units(seconds: float, text: str) -> None:
    assert tell_distance(NOW + timedelta(seconds=seconds), NOW) == text


def test_the_next_fires_are_told_in_order() -> None:
    dues = [NOW + timedelta(minutes=minutes) for minutes in (10, 20, 30)]

    assert tell_next(dues, NOW) == "next 13:10, then 13:20, 13:30"
    assert tell_next(dues[:1], NOW) == "next 13:10"
    assert tell_next([], NOW) == "never runs again"


def test_a_suspension_is_told_with_its_end_and_its_reason() -> None:
    closed = Suspension(start=NOW, end=utc("2026-12-27T05:00"), reason="the shop is closed")

    assert tell_suspension(closed, NOW, "Europe/Brussels") == (
        'suspended until 27 Dec 06:00 ("the shop is closed")'
    )


def test_a_count_agrees_with_its_noun() -> None:
    assert tell_count(1, "fire") == "1 fire"
    assert tell_count(1432, "fire") == "1,432 fires"
    assert tell_count(2, "entry", "entries") == "2 entries"

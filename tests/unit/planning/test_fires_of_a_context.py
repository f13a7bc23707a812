import random
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kirby.core.errors import InvalidZone
from kirby.core.nouns import CronLine
from kirby.core.planning.fires import Fires, fires_of
from kirby.core.planning.zones import check_zone
from tests.builders.planning import fires, utc

LINES = st.builds(
    CronLine,
    cron=st.sampled_from(
        ["*/10 * * * *", "0 * * * *", "30 2 * * *", "*/7 30 2 * * *", "0 0 1 * *", "5 0-6 * * sun"]
    ),
    zone=st.sampled_from(["UTC", "Europe/Brussels", "Australia/Lord_Howe", "America/New_York"]),
)
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
WINDOWS = st.tuples(
    st.integers(0, 366 * 86_400).map(lambda second: NEW_YEAR + timedelta(seconds=second)),
    st.timedeltas(timedelta(0), timedelta(days=4)),
)


def test_two_schedules_due_at_one_instant_are_one_fire() -> None:
    both = fires("0 * * * *", "*/30 * * * *")

    found = list(both.between(utc("2026-05-01T10:00"), utc("2026-05-01T12:00")))

    assert found == [
        utc("2026-05-01T10:30"),
        utc("2026-05-01T11:00"),
        utc("2026-05-01T11:30"),
        utc("2026-05-01T12:00"),
    ]
    assert both.count(utc("2026-05-01T10:00"), utc("2026-05-01T12:00")) == 4


def test_schedules_of_several_zones_are_merged_by_instant() -> None:
    both = fires_of(
        [
            CronLine(cron="0 12 * * *", zone="Europe/Brussels"),
            CronLine(cron="0 19 * * *", zone="Asia/Tokyo"),
            CronLine(cron="0 6 * * *", zone="America/New_York"),
        ]
    )

    found = list(islice(both.after(utc("2026-07-01T00:00")), 2))

    assert found == [utc("2026-07-01T10:00"), utc("2026-07-02T10:00")]


def test_the_next_fire_is_later_than_the_instant_asked_about() -> None:
    hourly = fires("0 * * * *")

    assert hourly.next_after(utc("2026-05-01T10:00")) == utc("2026-05-01T11:00")
    assert hourly.next_after(utc("2026-05-01T09:59:59.999999")) == utc("2026-05-01T10:00")
    assert hourly.next_after(utc("2026-05-01T10:00:00.000001")) == utc("2026-05-01T11:00")


def test_an_instant_of_another_zone_is_the_same_instant() -> None:
    tokyo = datetime.fromisoformat("2026-05-01T19:00+09:00")

    assert fires("0 * * * *").next_after(tokyo) == utc("2026-05-01T11:00")


def test_a_context_without_schedules_is_never_due() -> None:
    none = Fires(lines=())

    assert none.next_after(utc("2026-05-01T10:00")) is None
    assert none.span(utc("2026-05-01T10:00"), utc("2027-05-01T10:00")) is None
    assert none.count(utc("2026-05-01T10:00"), utc("2027-05-01T10:00")) == 0
    assert none.last(utc("2026-05-01T10:00"), utc("2026-06-01T10:00"), 3) == []


def test_a_fire_beyond_the_calendar_is_none() -> None:
    assert fires("0 0 1 1 *").next_after(utc("9998-06-01T00:00")) is None


def test_the_rarest_day_is_found() -> None:
    fifth_monday = fires("0 0 * 2 1#5")

    assert fifth_monday.next_after(utc("2072-03-01T00:00")) == utc("2112-02-29T00:00")


@settings(max_examples=80, deadline=None)
@given(lines=st.lists(LINES, min_size=1, max_size=3), window=WINDOWS, most=st.integers(0, 7))
def test_count_span_and_last_agree_with_going_from_fire_to_fire(
    lines: list[CronLine], window: tuple[datetime, timedelta], most: int
) -> None:
    context = fires_of(lines)
    after, until = window[0], window[0] + window[1]
    one_by_one = []
    for due in context.after(after):
        if due > until:
            break
        one_by_one.append(due)

    assert list(context.between(after, until)) == one_by_one
    assert context.count(after, until) == len(one_by_one)
    assert context.last(after, until, most) == (one_by_one[-most:] if most else [])
    assert context.span(after, until) == (
        (one_by_one[0], one_by_one[-1], len(one_by_one)) if one_by_one else None
    )


def test_the_order_in_which_instants_are_asked_about_does_not_matter() -> None:
    seed = 20260329
    print(f"seed {seed}")
    chance = random.Random(seed)
    context = fires("30 2 * * *", "*/20 * * * *", zone="Europe/Brussels")
    begin = utc("2026-01-01T00:00")
    instants = [begin + timedelta(minutes=chance.randrange(800_000)) for _ in range(500)]

    asked_at_random = {at: context.next_after(at) for at in instants}

    assert asked_at_random == {at: context.next_after(at) for at in sorted(instants)}


def test_the_default_start_window_is_half_the_way_to_the_next_fire() -> None:
    due = utc("2026-05-01T10:00")

    assert fires("*/4 * * * *").window(due) == timedelta(minutes=2)
    assert fires("* * * * *").window(due) == timedelta(seconds=30)
    assert fires("*/10 * * * * *").window(due) == timedelta(seconds=30)
    assert fires("0 * * * *").window(due) == timedelta(minutes=5)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("Europe/Brussel", "Europe/Brussels"),
        ("brussels", "Europe/Brussels"),
        ("New York", "America/New_York"),
        ("europe/brussels", "Europe/Brussels"),
        ("utc", "UTC"),
    ],
)
def test_a_misspelt_zone_is_refused_with_the_nearest(name: str, near: str) -> None:
    with pytest.raises(InvalidZone) as refusal:
        check_zone(name)

    assert str(refusal.value) == (
        f'time zone "{name}": there is none of that name; did you mean {near}?'
    )


@pytest.mark.parametrize("name", ["", "../etc/passwd", "/etc/localtime", "right/UTC", "x" * 300])
def test_what_is_no_zone_at_all_is_refused(name: str) -> None:
    with pytest.raises(InvalidZone, match="there is none of that name"):
        check_zone(name)

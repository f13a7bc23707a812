"""Fixed times and intervals in the nights when the clock is changed."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders.planning import Oracle, fires, utc

# A day around each change: zone, the UTC midnight before it, and what is special.
CHANGES = [
    ("Europe/Brussels", "2026-03-28T12:00"),
    ("Europe/Brussels", "2026-10-24T12:00"),
    ("America/New_York", "2026-03-07T18:00"),
    ("America/New_York", "2026-10-31T18:00"),
    ("America/Sao_Paulo", "2018-11-03T12:00"),  # the gap is at midnight
    ("America/Sao_Paulo", "2018-02-17T12:00"),  # the repeat is before midnight
    ("Australia/Sydney", "2026-10-03T06:00"),
    ("Australia/Sydney", "2026-04-04T06:00"),
    ("Australia/Lord_Howe", "2026-10-03T06:00"),  # half an hour
    ("Australia/Lord_Howe", "2026-04-04T06:00"),
    ("Pacific/Apia", "2011-12-29T12:00"),  # a whole day was left out
    ("Europe/Dublin", "2026-03-28T12:00"),  # winter time counts as the saving
    ("Europe/Dublin", "2026-10-24T12:00"),
    ("Africa/Casablanca", "2026-02-14T12:00"),  # Ramadan begins: an hour back
    ("Africa/Casablanca", "2026-03-21T12:00"),
    ("Asia/Kolkata", "2026-03-28T12:00"),  # no change, half an hour off
    ("America/Havana", "2026-03-07T18:00"),  # the gap is at midnight
    ("America/Havana", "2026-10-31T18:00"),
    ("Antarctica/Troll", "2026-03-28T12:00"),  # two hours
    ("Antarctica/Troll", "2026-10-24T12:00"),
    ("Asia/Pyongyang", "2018-05-04T06:00"),  # half an hour, for good
]
CRONS = [
    "30 2 * * *",
    "30 1 * * *",
    "0,15,30,45 1,2,3 * * *",
    "0 0 * * *",
    "30 0 * * *",
    "30 23 * * *",
    "0 12 * * *",
    "45 1 * * 0",
    "0 3 * * *",
    "*/15 * * * *",
    "30 * * * *",
    "*/20 1-3 * * *",
    "15 */2 * * *",
    "0 2 29 3 *",
    "0 9 30 12 *",
]


@pytest.mark.parametrize(("zone", "begin"), CHANGES)
@pytest.mark.parametrize("cron", CRONS)
def test_the_nights_of_a_change_are_as_the_oracle_has_them(
    cron: str, zone: str, begin: str
) -> None:
    after, until = utc(begin), utc(begin) + timedelta(days=2)

    wanted = Oracle(cron=cron, zone=zone).between(after, until)

    assert list(fires(cron, zone=zone).between(after, until)) == wanted
    assert _by_steps(cron, zone, after, until) == wanted


def _by_steps(cron: str, zone: str, after: datetime, until: datetime) -> list[datetime]:
    found = []
    for due in fires(cron, zone=zone).after(after):
        if due > until:
            break
        found.append(due)
    return found


@pytest.mark.parametrize(
    ("zone", "cron", "night", "due"),
    [
        # Spring: once, at the end of the gap.
        ("Europe/Brussels", "30 2 * * *", "2026-03-29", ["03:00+02:00"]),
        ("Europe/Brussels", "15,30,45 2 * * *", "2026-03-29", ["03:00+02:00"]),
        ("Europe/Brussels", "30 2,3 * * *", "2026-03-29", ["03:00+02:00", "03:30+02:00"]),
        ("Europe/Brussels", "0 2,3 * * *", "2026-03-29", ["03:00+02:00"]),
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-04", ["02:30+11:00"]),
        ("America/Sao_Paulo", "0 0 * * *", "2018-11-04", ["01:00-02:00"]),
        # An interval has nothing to make good.
        ("Europe/Brussels", "*/30 2 * * *", "2026-03-29", []),
        ("Europe/Brussels", "*/30 1-3 * * *", "2026-03-29",
         ["01:00+01:00", "01:30+01:00", "03:00+02:00", "03:30+02:00"]),
        # Autumn: the first time only, and both times for an interval.
        ("Europe/Brussels", "30 2 * * *", "2026-10-25", ["02:30+02:00"]),
        ("America/New_York", "30 1 * * *", "2026-11-01", ["01:30-04:00"]),
        ("Australia/Sydney", "30 2 * * *", "2026-04-05", ["02:30+11:00"]),
        ("Australia/Lord_Howe", "45 1 * * *", "2026-04-05", ["01:45+11:00"]),
        ("Europe/Dublin", "30 1 * * *", "2026-10-25", ["01:30+01:00"]),
        ("Europe/Brussels", "*/30 2 * * *", "2026-10-25",
         ["02:00+02:00", "02:30+02:00", "02:00+01:00", "02:30+01:00"]),
        ("America/New_York", "30 * 1 11 *", "2026-11-01",
         ["00:30-04:00", "01:30-04:00", "01:30-05:00",
          *[f"{hour:02}:30-05:00" for hour in range(2, 24)]]),
    ],
)  # fmt: skip
def test_a_night_in_the_words_of_the_people_who_live_there(
    zone: str, cron: str, night: str, due: list[str]
) -> None:
    begin = datetime.fromisoformat(night).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    if zone == "America/Sao_Paulo":
        begin = utc("2018-11-04T02:30")  # midnight itself is in the gap
    end = (datetime.fromisoformat(night) + timedelta(days=1)).replace(tzinfo=ZoneInfo(zone))

    found = fires(cron, zone=zone).between(begin - timedelta(seconds=1), end - timedelta(seconds=1))

    assert [_written(at.astimezone(ZoneInfo(zone))) for at in found] == due


def _written(local: datetime) -> str:
    return local.isoformat(timespec="minutes")[11:]


def test_what_a_left_out_day_would_have_had_runs_once_when_it_is_over() -> None:
    apia = fires("0 9,12 * * *", zone="Pacific/Apia")

    found = list(apia.between(utc("2011-12-29T23:00"), utc("2011-12-30T23:00")))

    assert found == [
        utc("2011-12-30T10:00"),  # for the 30th: midnight of the 31st, its beginning
        utc("2011-12-30T19:00"),
        utc("2011-12-30T22:00"),
    ]


def test_two_schedules_that_meet_at_the_end_of_a_gap_are_one_fire() -> None:
    brussels = fires("15 2 * * *", "0 3 * * *", zone="Europe/Brussels")

    found = list(brussels.between(utc("2026-03-29T00:00"), utc("2026-03-29T12:00")))

    assert found == [utc("2026-03-29T01:00")]


def test_seconds_of_a_fixed_time_are_merged_at_the_end_of_a_gap() -> None:
    brussels = fires("*/20 30 2 * * *", zone="Europe/Brussels")

    spring = list(brussels.between(utc("2026-03-29T00:00"), utc("2026-03-29T12:00")))
    autumn = list(brussels.between(utc("2026-10-25T00:00"), utc("2026-10-25T12:00")))

    assert spring == [utc("2026-03-29T01:00")]
    assert autumn == [utc("2026-10-25T00:30") + timedelta(seconds=s) for s in (0, 20, 40)]


def test_an_interval_of_one_day_a_week_fires_in_its_repeat_too() -> None:
    sundays = fires("*/30 1 * * sun", zone="Europe/Dublin")

    found = _by_steps("*/30 1 * * sun", "Europe/Dublin", utc("2026-10-25T00"), utc("2026-10-26T00"))

    assert found == [utc(f"2026-10-25T{clock}") for clock in ("00:30", "01:00", "01:30")]
    assert sundays.next_after(utc("2026-10-25T00:30")) == utc("2026-10-25T01:00")


@st.composite
def crons(draw: st.DrawFn) -> str:
    minute = draw(st.sampled_from(["0", "1", "30", "59", "10-20", "*/7", "*", "5,50"]))
    hour = draw(st.sampled_from(["0", "1", "2", "3", "23", "0-4", "*/2", "*", "1,22"]))
    day = draw(st.sampled_from(["*", "*", "1", "28-31", "L", "*/2"]))
    weekday = draw(st.sampled_from(["*", "*", "sun", "6,0", "0#1", "L6"]))
    return f"{minute} {hour} {day} * {weekday}"


@settings(max_examples=60, deadline=None)
@given(cron=crons(), change=st.sampled_from(CHANGES), minutes=st.integers(0, 2000))
def test_any_schedule_on_any_night_is_as_the_oracle_has_it(
    cron: str, change: tuple[str, str], minutes: int
) -> None:
    zone, begin = change
    after = utc(begin) + timedelta(minutes=minutes)
    until = after + timedelta(hours=30)

    wanted = Oracle(cron=cron, zone=zone).between(after, until)

    assert list(fires(cron, zone=zone).between(after, until)) == wanted
    assert _by_steps(cron, zone, after, until) == wanted

from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kirby.core.nouns import Suspension
from kirby.core.planning.suspensions import (
    covering,
    merged,
    next_unsuspended,
    unsuspended,
)
from tests.builders.planning import fires, utc

NOON = utc("2026-12-24T12:00")


def suspension(start: int, end: int, reason: str = "") -> Suspension:
    """A suspension from and to a minute after noon."""
    return Suspension(
        start=NOON + timedelta(minutes=start), end=NOON + timedelta(minutes=end), reason=reason
    )


def test_the_start_of_a_suspension_is_in_it_and_its_end_is_not() -> None:
    only = suspension(0, 10)

    assert covering([only], NOON) == only
    assert covering([only], NOON + timedelta(minutes=10)) is None


def test_of_several_suspensions_the_one_that_lasts_longest_counts() -> None:
    short, long = suspension(0, 10), suspension(-5, 20, "the shop is closed")

    assert covering([short, long], NOON) == long


def test_suspensions_that_touch_are_one_window() -> None:
    chain = [suspension(10, 20), suspension(0, 10), suspension(15, 30), suspension(40, 50)]

    assert [(window.start, window.end) for window in merged(chain)] == [
        (NOON, NOON + timedelta(minutes=30)),
        (NOON + timedelta(minutes=40), NOON + timedelta(minutes=50)),
    ]


def test_the_next_fire_is_the_first_that_no_suspension_holds() -> None:
    every_ten = fires("*/10 * * * *")

    assert next_unsuspended(every_ten, [suspension(5, 25)], NOON) == NOON + timedelta(minutes=30)
    assert next_unsuspended(every_ten, [suspension(5, 20)], NOON) == NOON + timedelta(minutes=20)
    assert next_unsuspended(every_ten, [], NOON) == NOON + timedelta(minutes=10)


def test_a_schedule_suspended_for_good_still_answers() -> None:
    for_good = Suspension(start=NOON, end=utc("9980-01-01T00:00"))

    assert next_unsuspended(fires("* * * * * *"), [for_good], NOON) == for_good.end


WINDOWS = st.tuples(st.integers(-50, 300), st.integers(1, 100)).map(
    lambda window: suspension(window[0], window[0] + window[1])
)


@settings(max_examples=100, deadline=None)
@given(windows=st.lists(WINDOWS, max_size=5))
def test_each_fire_is_either_suspended_or_not(windows: list[Suspension]) -> None:
    context = fires("*/7 * * * *", "*/10 * * * *")
    until = NOON + timedelta(hours=4)
    all_fires = list(context.between(NOON, until))
    free = []
    for due in unsuspended(context, windows, NOON):
        if due > until:
            break
        free.append(due)

    assert free == [due for due in all_fires if covering(windows, due) is None]

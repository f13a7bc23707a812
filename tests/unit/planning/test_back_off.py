from datetime import timedelta

import pytest

from kirby.core.back_off import (
    DaemonHealth,
    Restarts,
    attempt_back_off,
    jittered,
    refusal_back_off,
)
from kirby.core.nouns import Policies

EVEN = 0.5  # the chance that neither shortens nor lengthens


def restarts_after(lives: int, lived: timedelta = timedelta(seconds=2)) -> Restarts:
    restarts = Restarts()
    for _ in range(lives):
        restarts = restarts.ended(lived)
    return restarts


def test_attempts_back_off_from_ten_seconds_doubling_to_ten_minutes() -> None:
    waits = [attempt_back_off(Policies(), spent, EVEN).total_seconds() for spent in range(1, 9)]

    assert waits == [10, 20, 40, 80, 160, 320, 600, 600]


def test_a_back_off_beyond_all_doublings_stays_at_its_limit() -> None:
    assert attempt_back_off(Policies(), 10**9, EVEN) == timedelta(minutes=10)


def test_chance_moves_a_wait_by_a_fifth_to_both_sides() -> None:
    wait = timedelta(seconds=10)

    assert jittered(wait, 0.0) == timedelta(seconds=8)
    assert jittered(wait, 1.0) == timedelta(seconds=12)


def test_refused_offers_come_again_from_one_second_doubling_to_thirty() -> None:
    waits = [refusal_back_off(refusals).total_seconds() for refusals in range(1, 8)]

    assert waits == [1, 2, 4, 8, 16, 30, 30]


def test_a_daemon_that_ends_at_once_is_started_again_ever_more_slowly() -> None:
    waits = [restarts_after(lives).wait(EVEN).total_seconds() for lives in range(1, 12)]

    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


@pytest.mark.parametrize(
    ("lives", "health"),
    [
        (0, DaemonHealth.HEALTHY),
        (1, DaemonHealth.RESTARTING),
        (4, DaemonHealth.RESTARTING),
        (5, DaemonHealth.CRASH_LOOP),
        (500, DaemonHealth.CRASH_LOOP),
    ],
)
def test_five_short_lives_in_a_row_are_a_crash_loop(lives: int, health: DaemonHealth) -> None:
    assert restarts_after(lives).health is health


def test_a_healthy_minute_makes_up_for_all_short_lives() -> None:
    looping = restarts_after(7)

    assert looping.alive(timedelta(seconds=59)) == looping
    assert looping.alive(timedelta(seconds=60)).health is DaemonHealth.HEALTHY
    assert looping.ended(timedelta(seconds=60)) == restarts_after(1)


def test_a_crash_loop_is_told_in_a_sentence() -> None:
    sentence = restarts_after(5).sentence(timedelta(seconds=16.4), "exit status 3")

    assert sentence == (
        "ended 5 times in a row within a minute, the last time: exit status 3; "
        "starts again after 16 s"
    )

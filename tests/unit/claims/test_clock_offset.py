"""Rule S1: how far a host's clock is off the broker's."""

from datetime import timedelta

from kirby.core.clock_offset import SAMPLES, ClockOffset
from tests.builders.claims import NOON


def heard(offset: ClockOffset, *, ahead: float, took: float = 0.004, times: int = 1) -> ClockOffset:
    """Sample heartbeats of a host whose clock is so many seconds ahead of the broker's."""
    for _ in range(times):
        offset = offset.sample(
            sent=NOON + timedelta(seconds=ahead),
            appended=NOON + timedelta(seconds=took / 2),
            acknowledged=NOON + timedelta(seconds=ahead + took),
        )
    return offset


def test_nothing_is_known_at_first_and_zero_is_used() -> None:
    assert ClockOffset().seconds == 0.0


def test_a_clock_that_may_be_right_is_taken_to_be_right() -> None:
    offset = heard(ClockOffset(), ahead=0.001)

    assert offset.seconds == 0.0


def test_a_clock_that_is_ahead_is_known_within_the_round_trip_and_starts_rather_late() -> None:
    offset = heard(ClockOffset(), ahead=3.0)

    assert 3.0 <= offset.seconds <= 3.003


def test_a_clock_that_is_behind_starts_rather_late() -> None:
    offset = heard(ClockOffset(), ahead=-3.0)

    assert -3.0 <= offset.seconds <= -2.997


def test_intervals_are_intersected() -> None:
    offset = heard(heard(ClockOffset(), ahead=3.0, took=1.0), ahead=3.0, took=0.002)

    assert offset.seconds - 3.0 < 0.002


def test_a_clock_that_was_set_begins_anew() -> None:
    offset = heard(heard(ClockOffset(), ahead=0.0, times=10), ahead=60.0)

    assert len(offset.samples) == 1
    assert abs(offset.seconds - 60.0) < 0.01


def test_only_the_last_heartbeats_count() -> None:
    offset = heard(ClockOffset(), ahead=0.0, times=SAMPLES + 5)

    assert len(offset.samples) == SAMPLES


def test_a_clock_set_back_between_sending_and_acknowledgement_tells_nothing() -> None:
    offset = ClockOffset().sample(
        sent=NOON, appended=NOON, acknowledged=NOON - timedelta(seconds=60)
    )

    assert offset == ClockOffset()

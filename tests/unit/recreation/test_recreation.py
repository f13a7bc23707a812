"""When a part that died is made anew."""

from kirby.core.recreation import Lives, created, died


def waits_of(deaths_after: list[float]) -> list[float]:
    lives, now, waits = Lives(), 100.0, []
    for lived in deaths_after:
        lives = created(lives, now)
        now += lived
        lives, wait = died(lives, now)
        now += wait
        waits.append(wait)
    return waits


def test_one_that_had_worked_for_a_while_is_made_anew_at_once() -> None:
    assert waits_of([60.0, 60.0, 60.0]) == [0.0, 0.0, 0.0]


def test_one_that_dies_at_the_start_again_and_again_waits_twice_as_long_each_time() -> None:
    assert waits_of([0.1] * 10) == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_life_of_ten_seconds_ends_the_waiting() -> None:
    assert waits_of([0.1, 0.1, 0.1, 11.0, 0.1]) == [0.0, 0.5, 1.0, 0.0, 0.0]


def test_the_first_creation_is_no_recreation() -> None:
    lives = created(created(Lives(), 1.0), 2.0)

    assert (created(Lives(), 1.0).recreated, lives.recreated) == (0, 1)

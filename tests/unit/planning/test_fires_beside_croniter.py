"""Where no daylight saving is involved, croniter is right and must be agreed with."""

import random
from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from croniter import croniter

from kirby.core.errors import InvalidCron
from tests.builders.planning import fires

SEEDS = range(8)
EXPRESSIONS = 40  # of each seed
FIRES = 12  # of each expression
NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def a_field(chance: random.Random, low: int, high: int) -> str:
    def value() -> int:
        return chance.randint(low, high)

    first, last = sorted(chance.sample(range(low, high + 1), 2))
    return chance.choice(
        [
            "*",
            "*",
            str(value()),
            f"*/{chance.randint(2, max(2, high // 2))}",
            f"{first}-{last}",
            f"{first}-{last}/{chance.randint(1, 7)}",
            ",".join(str(value()) for _ in range(chance.randint(2, 5))),
        ]
    )


def an_expression(chance: random.Random) -> str:
    weekday = chance.choice(
        ["*", "*", a_field(chance, 0, 6), chance.choice(NAMES), f"{chance.randint(0, 6)}#3", "L5"]
    )
    day = "*" if "#" in weekday or "L" in weekday else chance.choice([a_field(chance, 1, 31), "L"])
    fields = [
        a_field(chance, 0, 59),
        a_field(chance, 0, 23),
        day,
        a_field(chance, 1, 12),
        weekday,
    ]
    return " ".join([a_field(chance, 0, 59), *fields] if chance.random() < 0.3 else fields)


@pytest.mark.parametrize("seed", SEEDS)
def test_random_expressions_fire_when_croniter_says(seed: int) -> None:
    print(f"seed {seed}")
    chance = random.Random(seed)
    compared = 0
    while compared < EXPRESSIONS:
        text = an_expression(chance)
        begin = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(seconds=chance.randrange(3 * 10**8))
        try:
            found = fires(text)
        except InvalidCron:
            continue  # a day that none of its months has
        compared += 1

        theirs = croniter(text, begin, ret_type=datetime, second_at_beginning=True)

        assert list(islice(found.after(begin), FIRES)) == [
            theirs.get_next() for _ in range(FIRES)
        ], text


@pytest.mark.parametrize(
    "text",
    [
        "0 0 29 2 *",
        "0 0 L 2 *",
        "0 0 * 2 1#5",
        "0 0 13 * 5",
        "0 0 31 * *",
        "0 0 L * *",
        "0 0 * * L5",
        "0 0 * * 0#1",
        "59 59 23 31 12 *",
        "0 0 */2 * mon",
        "0 0 1-31 * mon",
        "0 0 13 * 0-6",
    ],
)
def test_rare_days_are_the_ones_that_croniter_finds(text: str) -> None:
    begin = datetime(1999, 12, 31, 23, 59, 59, tzinfo=UTC)

    theirs = croniter(text, begin, ret_type=datetime, second_at_beginning=True)

    assert list(islice(fires(text).after(begin), 8)) == [theirs.get_next() for _ in range(8)]

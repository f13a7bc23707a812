"""The variables of a script: typed, with defaults, all faults in one message."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any, Literal

import pytest

from kirby.script.context import Context
from kirby.script.variables import Unfit, value_of
from kirby.script.wrong_variables import WrongVariables


class Colour(Enum):
    RED = "rot"
    BLUE = "blau"


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("bread", str, "bread"),
        (" 42 ", int, 42),
        ("1.5", float, 1.5),
        ("1.20", Decimal, Decimal("1.20")),
        ("/var/shop", Path, Path("/var/shop")),
        ("2026-05-01", date, date(2026, 5, 1)),
        ("2026-05-01T06:00:00Z", datetime, datetime(2026, 5, 1, 6, tzinfo=UTC)),
        ("90 s", timedelta, timedelta(seconds=90)),
        ("1 h 30 min", timedelta, timedelta(minutes=90)),
        ("rot", Colour, Colour.RED),
        ("blue", Colour, Colour.BLUE),
        ("north", Literal["north", "south"], "north"),
        ("2", Literal[1, 2], 2),
        ("", int | None, None),
        ("3", int | None, 3),
        ("bread, cake", list[str], ["bread", "cake"]),
        ("bread,cake", tuple[str, ...], ("bread", "cake")),
        ("1,2", tuple[int, str], (1, "2")),
        ('["a,b", "c"]', list[str], ["a,b", "c"]),
        ("[1, 2]", list[int], [1, 2]),
        ("", list[int], []),
        ("a,b", list, ["a", "b"]),
        ("1,2,2", set[int], {1, 2}),
    ],
)
def test_a_text_is_read_as_its_kind(text: str, kind: Any, value: Any) -> None:
    assert value_of(text, kind) == value


@pytest.mark.parametrize("text", ["1", "true", "Yes", "ON"])
def test_yes_may_be_said_in_several_ways(text: str) -> None:
    assert value_of(text, bool) is True


@pytest.mark.parametrize("text", ["0", "false", "No", "off"])
def test_so_may_no(text: str) -> None:
    assert value_of(text, bool) is False


@pytest.mark.parametrize(
    ("text", "kind", "sentence"),
    [
        ("ten", int, "is not a whole number"),
        ("", int, "is not a whole number"),
        ("maybe", bool, "is neither true nor false"),
        ("green", Colour, "is unknown: rot, blau"),
        ("east", Literal["north", "south"], "is unknown: north, south"),
        ("90", timedelta, "write it with its unit"),
        ("2026-05-01T06:00:00", datetime, "has no time zone"),
        ("1,2,3", tuple[int, int], "has 3 values; 2 are expected"),
        ("1,x", list[int], "is not a whole number"),
        ("[1,", list[int], "begins like a JSON array"),
        ("x", int | None, "is not a whole number"),
    ],
)
def test_a_text_that_is_not_of_its_kind_is_refused(text: str, kind: Any, sentence: str) -> None:
    with pytest.raises(Unfit, match=sentence):
        value_of(text, kind)


class Settings(Context):
    sales_url: str
    batch: int = 100
    colour: Colour = Colour.RED
    since: date | None
    api_token: str = "none"


def test_variables_are_read_from_their_names_in_upper_case(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SALES_URL", "http://shop")
    monkeypatch.setenv("BATCH", "7")

    settings = Settings()

    assert (settings.sales_url, settings.batch) == ("http://shop", 7)


def test_what_is_not_set_has_its_default_or_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SALES_URL", "http://shop")

    settings = Settings()

    assert (settings.batch, settings.colour, settings.since) == (100, Colour.RED, None)


def test_all_faults_come_in_one_message_and_with_status_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BATCH", "ten")
    monkeypatch.setenv("COLOUR", "green")

    with pytest.raises(WrongVariables) as wrong:
        Settings()

    assert str(wrong.value) == (
        "SALES_URL: is not set, and has no default\n"
        'BATCH: "ten" is not a whole number\n'
        'COLOUR: "green" is unknown: rot, blau'
    )
    assert wrong.value.code == 2
    assert capsys.readouterr().err == f"{wrong.value}\n"


def test_a_secret_shows_neither_in_a_fault_nor_in_the_repr(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Secrets(Context):
        api_token: int

    monkeypatch.setenv("API_TOKEN", "hunter2")
    with pytest.raises(WrongVariables) as wrong:
        Secrets()

    assert "hunter2" not in str(wrong.value)
    assert "hunter2" not in repr(Secrets(api_token="hunter2"))


def test_a_class_inherits_the_variables_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    class More(Settings):
        oven: str

    monkeypatch.setenv("SALES_URL", "http://shop")
    monkeypatch.setenv("OVEN", "big")

    assert (More().sales_url, More().oven) == ("http://shop", "big")


def test_a_test_may_give_values_by_name() -> None:
    settings = Settings(sales_url="http://test", since=date(2026, 5, 1))

    assert (settings.sales_url, settings.since) == ("http://test", date(2026, 5, 1))
    with pytest.raises(TypeError, match="Settings has no variable oven"):
        Settings(oven="big")


def test_a_kind_that_no_variable_can_hold_is_the_scripts_mistake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Odd(Context):
        thing: object

    monkeypatch.setenv("THING", "x")

    with pytest.raises(TypeError, match=r"Odd\.thing: a variable cannot hold object"):
        Odd()


def test_a_context_knows_which_run_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIRBY_SCHEDULED_AT", "2026-05-01T06:00:00Z")
    monkeypatch.setenv("KIRBY_ATTEMPT", "2")
    monkeypatch.setenv("KIRBY_FENCING_TOKEN", "17")

    kirby = Settings(sales_url="").kirby

    assert kirby.scheduled_at == datetime(2026, 5, 1, 6, tzinfo=UTC)
    assert (kirby.attempt, kirby.fencing_token) == (2, 17)

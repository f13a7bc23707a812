"""The script's log: one JSON line a record, cut where it is too long, or plain text by hand."""

import json
import logging
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from kirby.script.logger import LINE_LIMIT, Log, line_of
from kirby.script.logging_bridge import LogHandler

NOW = datetime(2026, 5, 1, 6, 0, 0, 1500, tzinfo=UTC)


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def read(pipe: tuple[int, int]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in os.read(pipe[0], 1 << 16).splitlines()]


def log_of(pipe: tuple[int, int]) -> Log:
    return Log({"KIRBY_LOG_FD": str(pipe[1])})


def test_a_record_is_one_line_of_json() -> None:
    line = line_of(NOW, "info", "sales sent", {"count": 118})

    assert json.loads(line) == {
        "at": "2026-05-01T06:00:00.001500Z",
        "level": "info",
        "text": "sales sent",
        "fields": {"count": 118},
    }
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1


def test_records_go_through_the_pipe_with_their_levels(pipe: tuple[int, int]) -> None:
    log = log_of(pipe)

    log.debug("a")
    log.info("b")
    log.warning("c")
    log.error("d")

    assert [(r["level"], r["text"]) for r in read(pipe)] == [
        ("debug", "a"),
        ("info", "b"),
        ("warning", "c"),
        ("error", "d"),
    ]


def test_arguments_fill_the_text_and_a_wrong_number_of_them_is_no_fault(
    pipe: tuple[int, int],
) -> None:
    log = log_of(pipe)

    log.info("%s of %d", "bread", 3)
    log.info("100 %", 1)

    assert [record["text"] for record in read(pipe)] == ["bread of 3", "100 % (1,)"]


def test_an_exception_brings_its_traceback(pipe: tuple[int, int]) -> None:
    try:
        raise KeyError("oven")
    except KeyError:
        log_of(pipe).exception("no oven", shop="north")

    [record] = read(pipe)
    assert record["fields"]["shop"] == "north"
    assert record["fields"]["traceback"].endswith("KeyError: 'oven'")


@pytest.mark.parametrize("text", ["x" * 10_000, "é" * 10_000, "\x00" * 10_000, "\n" * 10_000])
def test_a_long_text_is_cut_to_what_a_pipe_takes_in_one_piece(text: str) -> None:
    line = line_of(NOW, "info", text, {"count": 3})

    record = json.loads(line)
    assert len(line) <= LINE_LIMIT
    assert record["cut"] is True
    assert record["fields"] == {"count": "3"}


def test_the_end_of_a_long_traceback_is_kept() -> None:
    traceback = "\n".join(f"line {number}" for number in range(5000)) + "\nKeyError: 'oven'"

    line = line_of(NOW, "error", "no oven", {"traceback": traceback})

    record = json.loads(line)
    assert LINE_LIMIT * 3 // 4 < len(line) <= LINE_LIMIT
    assert record["text"] == "no oven"
    assert record["fields"]["traceback"].endswith("KeyError: 'oven'")


def test_countless_fields_give_way_to_the_text() -> None:
    line = line_of(NOW, "info", "sent", {f"field {number}": number for number in range(2000)})

    assert len(line) <= LINE_LIMIT
    assert json.loads(line)["text"] == "sent"


def test_a_field_that_is_not_json_becomes_its_text(pipe: tuple[int, int]) -> None:
    itself: list[Any] = []
    itself.append(itself)

    log_of(pipe).info("odd", when=NOW, itself=itself, by={(1, 2): 3})

    [record] = read(pipe)
    assert "2026" in record["fields"]["when"]


def test_outside_kirby_a_record_is_a_line_on_standard_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Log({}).warning("no oven", shop="north")

    assert capsys.readouterr().err.endswith("warning no oven  shop=north\n")


def test_a_descriptor_that_is_no_pipe_is_left_alone(
    tmp_path: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with (tmp_path / "mine").open("w") as file:
        Log({"KIRBY_LOG_FD": str(file.fileno())}).info("hello")

    assert (tmp_path / "mine").read_text() == ""
    assert "hello" in capsys.readouterr().err


def test_records_of_libraries_can_land_in_the_same_log(pipe: tuple[int, int]) -> None:
    logger = logging.Logger("httpx")
    logger.addHandler(LogHandler(log_of(pipe)))

    logger.warning("slow: %d ms", 900)

    [record] = read(pipe)
    assert (record["level"], record["text"]) == ("warning", "slow: 900 ms")
    assert record["fields"] == {"logger": "httpx"}

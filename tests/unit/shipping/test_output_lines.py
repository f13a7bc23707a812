"""Lines from raw output: split, cut, decoded, redacted, and read on from anywhere."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kirby.core.errors import Damaged
from kirby.core.records import Stream
from kirby.core.shipping.output import LINE_LIMIT, frames_in
from tests.builders.shipping import (
    BEGUN,
    ERR,
    KIRBY,
    LOG,
    OUT,
    a_frame,
    a_shipment,
    exited,
)


def test_lines_keep_their_stream_and_order() -> None:
    output = a_frame("one\ntwo\n", OUT) + a_frame("oops\n", ERR) + a_frame("three\n", OUT)
    shipment = a_shipment(*BEGUN, output=output)

    shipment.runs()

    assert [(line.stream, line.text) for line in shipment.lines] == [
        (Stream.OUT, "one"),
        (Stream.OUT, "two"),
        (Stream.ERR, "oops"),
        (Stream.OUT, "three"),
    ]


def test_a_line_in_pieces_is_one_line() -> None:
    output = a_frame("hal", OUT) + a_frame("err\n", ERR) + a_frame("ves\n", OUT)
    shipment = a_shipment(*BEGUN, output=output)

    shipment.runs()

    assert shipment.texts == ["err", "halves"]


def test_an_unfinished_line_waits_while_the_script_lives() -> None:
    shipment = a_shipment(*BEGUN, output=a_frame("what next? "))

    shipment.runs()

    assert shipment.texts == []


def test_an_unfinished_line_is_told_when_the_attempt_has_ended() -> None:
    shipment = a_shipment(*BEGUN, exited(), output=a_frame("bye"))

    shipment.runs()

    assert shipment.texts == ["bye"]


def test_a_line_over_64_kib_is_cut_and_marked_and_nothing_is_lost() -> None:
    text = "é" * 50_000 + "!"
    frames = [a_frame(piece) for piece in (text[:20_000], text[20_000:40_000], text[40_000:])]
    shipment = a_shipment(*BEGUN, output=b"".join(frames) + a_frame("\n"))

    shipment.runs()

    assert [line.cut for line in shipment.lines] == [True, False]
    assert all(len(text.encode()) <= LINE_LIMIT for text in shipment.texts)
    assert "".join(shipment.texts) == text


def test_what_is_not_utf_8_is_shown_as_far_as_it_can() -> None:
    shipment = a_shipment(*BEGUN, output=a_frame(b"caf\xe9\n"))

    shipment.runs()

    assert shipment.texts == ["caf\N{REPLACEMENT CHARACTER}"]


def test_carriage_returns_before_line_ends_are_no_text() -> None:
    shipment = a_shipment(*BEGUN, output=a_frame("dos\r\n"))

    shipment.runs()

    assert shipment.texts == ["dos"]


def test_secrets_are_taken_out_even_across_pieces() -> None:
    output = a_frame("password=hun") + a_frame("ter2-long\n")
    shipment = a_shipment(*BEGUN, output=output, secrets=("hunter2-long",))

    shipment.runs()

    assert shipment.texts == ["password=***"]


def test_what_only_began_like_a_secret_is_told_at_the_end() -> None:
    shipment = a_shipment(*BEGUN, exited(), output=a_frame("hunt"), secrets=("hunter2-long",))

    shipment.runs()

    assert shipment.texts == ["hunt"]


def test_log_records_of_the_library_keep_level_and_fields() -> None:
    record = {
        "at": "2026-03-02T12:00:01.500000Z",
        "level": "warning",
        "text": "slow",
        "fields": {"seconds": 3, "traceback": "Traceback: …"},
    }
    shipment = a_shipment(*BEGUN, output=a_frame(json.dumps(record) + "\n", LOG))

    shipment.runs()

    [line] = shipment.lines
    assert (line.stream, line.level) == (Stream.LOG, "warning")
    assert line.text == "slow  seconds=3\nTraceback: …"
    assert line.at.isoformat() == "2026-03-02T12:00:01.500000+00:00"


def test_what_else_comes_through_the_log_pipe_is_a_line_as_it_is() -> None:
    shipment = a_shipment(*BEGUN, output=a_frame("no json\n", LOG))

    shipment.runs()

    assert shipment.texts == ["no json"]


def test_marks_of_the_shim_are_lines_of_kirby() -> None:
    output = a_frame("12 bytes of output were dropped here: over the limit of 9 bytes", KIRBY)
    shipment = a_shipment(*BEGUN, output=output)

    shipment.runs()

    assert shipment.lines[0].stream is Stream.KIRBY


def test_what_is_no_frame_is_damage() -> None:
    with pytest.raises(Damaged):
        frames_in(b"\xff" * 64)


@given(
    pieces=st.lists(
        st.tuples(st.sampled_from([OUT, ERR]), st.text(alphabet="ab\n", max_size=12)), max_size=12
    ),
    size=st.integers(min_value=26, max_value=60),
)
def test_lines_are_the_same_however_the_reading_is_cut(
    pieces: list[tuple[int, str]], size: int
) -> None:
    output = b"".join(a_frame(text, stream) for stream, text in pieces)
    at_once = a_shipment(*BEGUN, exited(), output=output, secrets=("abab",))
    in_pieces = a_shipment(*BEGUN, exited(), output=output, secrets=("abab",))

    at_once.runs()
    in_pieces.runs(size)

    assert in_pieces.texts == at_once.texts

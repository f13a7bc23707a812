"""What of a run folder goes to Kafka next: at least once, in order, the end ahead of lines."""

from datetime import timedelta

import pytest

from kirby.core.nouns import AttemptEnd, NotStartedReason
from kirby.core.records import (
    Armed,
    Exited,
    FirstLine,
    Lines,
    Logged,
    NotStarted,
    Parked,
    Released,
    StopAsked,
)
from kirby.core.shipping.folders import AllShipped, Load, NothingYet
from kirby.core.shipping.run_folder import (
    Entry,
    Meta,
    attempt_of_folder,
    folder_name,
    read_journal,
)
from tests.builders.claims import NOON, attempt
from tests.builders.shipping import (
    ARMED,
    BEGUN,
    Shipment,
    a_folder,
    a_frame,
    a_shipment,
    an_entry,
    exited,
)


def test_the_steps_of_a_run_are_told_in_order() -> None:
    shipment = a_shipment(*BEGUN)

    shipment.runs()

    assert [type(step) for step in shipment.steps] == [Armed, Parked, Released, FirstLine]


def test_a_run_that_ended_and_was_told_is_all_shipped() -> None:
    shipment = a_shipment(*BEGUN, exited(), output=a_frame("118 sales\n"))

    assert isinstance(shipment.runs(), AllShipped)


def test_a_run_that_goes_on_is_not() -> None:
    shipment = a_shipment(*BEGUN, output=a_frame("118 sales\n"))

    assert isinstance(shipment.runs(), NothingYet)


def test_the_end_is_told_ahead_of_what_is_left_of_the_output() -> None:
    shipment = a_shipment(*BEGUN, exited(), output=a_frame("118 sales\n"))

    shipment.runs()

    kinds = [type(told) for told in shipment.told]
    assert kinds.index(Exited) < kinds.index(Lines)


def test_the_end_carries_the_last_lines() -> None:
    output = b"".join(a_frame(f"line {n}\n") for n in range(50))
    shipment = a_shipment(*BEGUN, exited(status=3), output=output)

    shipment.runs()

    end = next(step for step in shipment.steps if isinstance(step, Exited))
    assert end.tail == tuple(f"line {n}" for n in range(30, 50))


def test_the_last_lines_of_long_output_show_no_half_of_a_secret() -> None:
    secret = "s" * 150_000
    pieces = (secret[:60_000], secret[60_000:120_000], secret[120_000:] + "\nfine\n")
    output = b"".join(a_frame(piece) for piece in pieces)
    shipment = a_shipment(*BEGUN, exited(status=3), output=output, secrets=(secret,))

    shipment.runs()

    end = next(step for step in shipment.steps if isinstance(step, Exited))
    assert end.tail == ("fine",)


def test_where_the_log_stands_is_told_once_all_of_it_is_there() -> None:
    output = a_frame("one\n") + a_frame("two\n")
    shipment = a_shipment(*BEGUN, exited(dropped_bytes=7), output=output)

    shipment.runs(size=20)

    logged = [step for step in shipment.steps if isinstance(step, Logged)][-1]
    assert (logged.partition, logged.first_offset, logged.last_offset) == (3, 100, 101)
    assert (logged.lines, logged.dropped_bytes) == (2, 7)


def test_a_running_attempt_tells_where_its_log_stands_from_time_to_time() -> None:
    shipment = a_shipment(*BEGUN, output=a_frame("one\n"))
    shipment.runs()
    shipment.output += a_frame("two\n")

    soon = shipment.runs()
    told_soon = [step for step in shipment.steps if isinstance(step, Logged)]
    shipment.seconds = 2.0
    shipment.runs()
    told_later = [step for step in shipment.steps if isinstance(step, Logged)]

    assert soon == NothingYet(again=NOON + timedelta(seconds=2))
    assert (len(told_soon), len(told_later)) == (1, 2)


def test_a_run_without_output_tells_of_no_log() -> None:
    shipment = a_shipment(*BEGUN, exited())

    shipment.runs()

    assert not [step for step in shipment.steps if isinstance(step, Logged)]


def test_a_load_that_was_not_acknowledged_is_the_next_one_again() -> None:
    shipment = a_shipment(*BEGUN, output=a_frame("one\n"))

    first, second = shipment.load(), shipment.load()

    assert isinstance(first, Load)
    assert first == second


def test_batches_are_numbered_by_their_first_line() -> None:
    output = b"".join(a_frame("x" * 60_000 + "\n") for _ in range(9))
    shipment = a_shipment(*BEGUN, output=output)

    shipment.runs()

    firsts = [told.first for told in shipment.told if isinstance(told, Lines)]
    assert firsts == [0, 4, 8]


@pytest.mark.parametrize(
    ("entry", "end", "reason"),
    [
        (exited(status=0), AttemptEnd.SUCCEEDED, ""),
        (exited(status=3), AttemptEnd.FAILED, "exit status 3"),
        (exited(status=None, signal=11), AttemptEnd.FAILED, "killed by SIGSEGV"),
        (exited(stop="time limit"), AttemptEnd.TIMED_OUT, "over its time limit of 2 min"),
        (exited(stop="memory"), AttemptEnd.FAILED, "over its memory limit of 1 GB"),
        (exited(stop="asked"), AttemptEnd.STOPPED, "stopped by anna"),
        (an_entry("lost", sentence="exit status lost"), AttemptEnd.LOST, "exit status lost"),
    ],
)
def test_the_end_is_told_as_it_was(entry: Entry, end: AttemptEnd, reason: str) -> None:
    meta = Meta(time_limit="2 min", memory_limit="1 GB")
    asked = an_entry("stop_asked", reason="asked", sentence="stopped by anna")
    shipment = Shipment(a_folder(*BEGUN, asked, entry, meta=meta))

    shipment.runs()

    told = next(step for step in shipment.steps if isinstance(step, Exited))
    assert (told.end, told.reason) == (end, reason)


def test_an_attempt_that_never_began_says_why() -> None:
    entry = an_entry("not_started", why="interrupted", sentence="the host was restarted")
    shipment = a_shipment(ARMED, entry)

    over = shipment.runs()

    told = next(step for step in shipment.steps if isinstance(step, NotStarted))
    assert (told.why, told.reason) == (NotStartedReason.INTERRUPTED, "the host was restarted")
    assert isinstance(over, AllShipped)


def test_a_stop_is_told_with_its_sentence() -> None:
    shipment = a_shipment(*BEGUN, an_entry("stop_asked", reason="asked", sentence="by anna"))

    shipment.runs()

    assert [step.reason for step in shipment.steps if isinstance(step, StopAsked)] == ["by anna"]


def test_instants_are_corrected_by_the_clock_offset_of_arming() -> None:
    shipment = Shipment(a_folder(ARMED, meta=Meta(clock_offset_seconds=3.0)))

    shipment.runs()

    assert shipment.steps[0].at == NOON - timedelta(seconds=3)


def test_a_journal_ends_where_half_a_line_or_zeros_begin() -> None:
    data = b'{"step":"armed","at_ns":1}\n{"step":"par' + b"\0" * 8

    assert [entry.step for entry in read_journal(data)] == ["armed"]


def test_the_name_of_a_folder_tells_its_attempt() -> None:
    name = folder_name(attempt("pump/prod@2026-03-02T12:00:00Z", 2))

    assert attempt_of_folder(name) == attempt("pump/prod@2026-03-02T12:00:00Z", 2)
    assert attempt_of_folder("set-aside") is None

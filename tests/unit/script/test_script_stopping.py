"""SIGTERM: the record in hand is finished, and the with-blocks close."""

import os
import signal
from collections.abc import Iterator
from contextlib import suppress

import pytest

from kirby.script.stopping import StopAsked, Stopping
from kirby.script.topic import Topic
from tests.builders.script import a_kafka, a_session, committed, values


@pytest.fixture(autouse=True)
def default_handler() -> Iterator[None]:
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_while_somebody_will_look_the_first_signal_is_only_noted() -> None:
    stopping = Stopping(lambda: True)
    stopping.install()

    terminate()

    assert stopping.is_asked
    with pytest.raises(StopAsked):
        stopping.check()


def test_the_second_signal_ends_the_script_at_once() -> None:
    stopping = Stopping(lambda: True)
    stopping.install()
    terminate()

    with pytest.raises(StopAsked) as stopped:
        terminate()

    assert stopped.value.code == 143


def test_where_nobody_will_look_the_first_signal_ends_the_script() -> None:
    Stopping(lambda: False).install()

    with pytest.raises(StopAsked):
        terminate()


def test_a_script_that_handles_the_signal_itself_is_left_alone() -> None:
    seen: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: seen.append(number))
    stopping = Stopping(lambda: False)
    stopping.install()

    terminate()

    assert seen == [signal.SIGTERM]
    assert not stopping.is_asked


def test_a_daemon_finishes_its_record_and_what_comes_after_the_loop_is_done() -> None:
    kafka, done = a_kafka(sales=[1, 2, 3]), []
    with a_session(kafka), Topic("sales") as sales, Topic("forecast") as forecast:
        for record in sales:
            terminate()
            forecast.send(record.value)
        done.append("after the loop")

    assert done == ["after the loop"]
    assert values(kafka.records("forecast")) == [1]
    assert committed(kafka, "sales") == 1


def test_next_commits_the_record_in_hand_and_ends_the_script() -> None:
    kafka = a_kafka(sales=[1, 2])

    with a_session(kafka), suppress(StopAsked), Topic("sales") as sales:
        while sales.next(0):
            terminate()
        pytest.fail("the loop ended as if there were no more records")

    assert committed(kafka, "sales") == 1


def test_a_script_that_only_sends_delivers_what_it_has_sent() -> None:
    kafka = a_kafka()

    with a_session(kafka), suppress(StopAsked), Topic("sales") as sales:
        for number in range(3):
            sales.send(number)
            if number == 1:
                terminate()

    assert values(kafka.records("sales")) == [0, 1]

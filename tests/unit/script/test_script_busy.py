"""A script that takes its time over a record keeps its place in the group."""

import time

from kirby.script.topic import Topic
from tests.builders.script import a_kafka, a_session, committed, fill, values
from tests.fakes.script_kafka import FakeKafka

MUCH_LATER = 3600.0


def a_full_kafka() -> FakeKafka:
    kafka = a_kafka()
    for number in range(12):
        fill(kafka, "sales", [number], key=f"product {number}")
    return kafka


def test_what_was_read_meanwhile_is_handed_out_next_and_nothing_twice() -> None:
    kafka = a_full_kafka()
    with a_session(kafka) as session:
        session.halt()
        sales, seen = Topic("sales"), []
        while record := sales.next(0):
            seen.append(record.value)
            for _ in range(3):
                session.keep(time.monotonic() + MUCH_LATER)

    assert sorted(seen) == list(range(12))


def test_a_quick_script_is_not_disturbed() -> None:
    kafka = a_full_kafka()
    with a_session(kafka) as session:
        session.halt()
        sales = Topic("sales")
        sales.next(0)

        session.keep(time.monotonic())

        assert not kafka.members("sales")[0].is_held


def test_what_was_made_of_a_record_is_delivered_before_its_partition_goes() -> None:
    kafka = a_full_kafka()
    with a_session(kafka) as session:
        session.halt()
        sales, forecast = Topic("sales"), Topic("forecast")
        while record := sales.next(0):
            forecast.send(record.value)
        kafka.group("sales", "prod.pump", lambda _: None)

        session.keep(time.monotonic() + MUCH_LATER)

        assert sorted(values(kafka.records("forecast"))) == list(range(12))
        assert committed(kafka, "sales") == 12


def test_a_record_whose_partition_has_gone_is_not_committed_by_who_had_it() -> None:
    kafka = a_full_kafka()
    with a_session(kafka) as session:
        session.halt()
        sales = Topic("sales")
        sales.next(0)
        kafka.group("sales", "prod.pump", lambda _: None)
        kafka.group("sales", "prod.pump", lambda _: None)
        kafka.members("sales").reverse()

        session.keep(time.monotonic() + MUCH_LATER)
        sales.close()

    assert committed(kafka, "sales") == 0


def test_reading_goes_on_after_what_was_read_meanwhile_has_gone_to_others() -> None:
    kafka = a_full_kafka()
    with a_session(kafka) as session:
        session.halt()
        sales = Topic("sales")
        sales.next(0)
        session.keep(time.monotonic() + MUCH_LATER)
        for _ in range(2):  # whichever partition it was read from, one of the two takes it away
            kafka.group("sales", "prod.pump", lambda _: None)
            session.keep(time.monotonic() + MUCH_LATER)
            kafka.members("sales").reverse()
            session.keep(time.monotonic() + MUCH_LATER)

        assert sales.next(0) is not None

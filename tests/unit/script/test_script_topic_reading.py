"""Reading a topic: at least once, in order, and what counts as finished."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec
import pytest

from kirby.core.errors import DeliveryFailed, UnreadableValue
from kirby.script.topic import Topic
from tests.builders.script import a_kafka, a_session, committed, fill


def test_next_hands_out_one_record_after_the_other() -> None:
    with a_session(a_kafka(sales=[1, 2])):
        sales = Topic("sales")

        records = [sales.next(0), sales.next(0), sales.next(0)]

    assert [record and record.value for record in records] == [1, 2, None]


def test_a_record_tells_its_key_its_place_and_when_it_was_written() -> None:
    with a_session(a_kafka(sales=[1])):
        record = Topic("sales").next(0)

    assert record is not None
    assert record.key == "bread"
    assert (record.topic, record.offset) == ("sales", 0)
    assert record.at == datetime.fromtimestamp(1_700_000_000.001, UTC)


def test_a_record_is_committed_when_the_following_one_is_asked_for() -> None:
    kafka = a_kafka(sales=[1, 2])
    with a_session(kafka):
        sales = Topic("sales")

        sales.next(0)
        in_hand = committed(kafka, "sales")
        sales.next(0)

    assert in_hand == 0
    assert committed(kafka, "sales") == 1


def test_the_end_of_a_with_block_finishes_the_record_in_hand() -> None:
    kafka = a_kafka(sales=[1, 2])

    with a_session(kafka), Topic("sales") as sales:
        sales.next(0)

    assert committed(kafka, "sales") == 1


def test_an_exception_leaves_the_record_in_hand_to_the_next_run() -> None:
    kafka = a_kafka(sales=[1, 2])

    with a_session(kafka), suppress(ZeroDivisionError), Topic("sales") as sales:
        sales.next(0)
        sales.next(0)
        raise ZeroDivisionError

    assert committed(kafka, "sales") == 1


def test_the_next_run_goes_on_where_the_last_one_ended() -> None:
    kafka = a_kafka(sales=[1, 2, 3])
    with a_session(kafka), Topic("sales") as sales:
        sales.next(0)

    with a_session(kafka), Topic("sales") as sales:
        record = sales.next(0)

    assert record is not None
    assert record.value == 2


def test_nothing_is_committed_before_what_was_made_of_it_is_acknowledged() -> None:
    kafka = a_kafka(sales=[1, 2])
    with a_session(kafka):
        sales, forecast = Topic("sales"), Topic("forecast")
        sales.next(0)
        kafka.is_deaf = True
        forecast.send("more bread")

        sales.next(0)
        before = committed(kafka, "sales")
        kafka.is_deaf = False
        sales.next(0)

    assert before == 0
    assert committed(kafka, "sales") == 2


def test_nothing_is_committed_after_what_was_made_of_it_failed() -> None:
    kafka = a_kafka(sales=[1, 2])
    with a_session(kafka):
        sales, forecast = Topic("sales"), Topic("forecast")
        sales.next(0)
        kafka.refuses = "message too large"
        forecast.send("more bread")

        with pytest.raises(DeliveryFailed, match="message too large"):
            sales.next(0)
        sales.close()

    assert committed(kafka, "sales") == 0


def test_two_members_of_the_group_get_each_record_once() -> None:
    kafka = a_kafka()
    for number in range(40):
        fill(kafka, "sales", [number], key=f"product {number}")
    with a_session(kafka) as session:
        members = [Topic("sales"), Topic("sales")]
        seen = [record.value for _ in range(40) for m in members if (record := m.next(0))]
        session.halt()

    assert sorted(seen) == list(range(40))


def test_another_context_gets_every_record_as_well() -> None:
    kafka = a_kafka(sales=[1, 2])
    with a_session(kafka), Topic("sales") as sales:
        sales.next(0)
        sales.next(0)

    with a_session(kafka, group="prod.profit"):
        record = Topic("sales").next(0)

    assert record is not None
    assert record.value == 1


def test_iteration_goes_on_until_the_script_is_asked_to_stop() -> None:
    kafka, seen = a_kafka(sales=[1, 2, 3]), []
    with a_session(kafka) as session, Topic("sales") as sales:
        for record in sales:
            seen.append(record.value)
            session.stopping.is_asked = record.value == 2

    assert seen == [1, 2]
    assert committed(kafka, "sales") == 2


def test_values_are_read_as_the_kind_that_was_asked_for() -> None:
    @dataclass
    class Sale:
        product: str
        at: datetime

    kafka = a_kafka(sales=[{"product": "bread", "at": "2026-05-01T06:00:00Z"}])
    with a_session(kafka):
        record = Topic("sales", of=Sale).next(0)

    assert record is not None
    assert record.value == Sale("bread", datetime(2026, 5, 1, 6, tzinfo=UTC))


def test_a_record_that_cannot_be_read_says_where_it_lies_and_reading_goes_on_after_it() -> None:
    class Sale(msgspec.Struct):
        product: str

    kafka = a_kafka(sales=[{"product": 7}, {"product": "bread"}])
    with a_session(kafka):
        sales = Topic("sales", of=Sale)

        with pytest.raises(UnreadableValue, match=r'topic "sales", partition \d, offset 0'):
            sales.next(0)
        record = sales.next(0)

    assert record is not None
    assert record.value == Sale("bread")


def test_a_record_without_a_value_gives_none() -> None:
    kafka = a_kafka()
    kafka.create("sales")
    kafka.take("sales", b"bread", None, [])
    with a_session(kafka):
        record = Topic("sales").next(0)

    assert record is not None
    assert record.value is None
    assert record.key == "bread"


def test_the_environments_prefix_stands_before_the_name() -> None:
    with a_session(a_kafka(**{"dev.sales": [1]}), topic_prefix="dev."):
        record = Topic("sales").next(0)

    assert record is not None
    assert record.topic == "dev.sales"


def test_replay_hands_out_all_that_is_there_and_ends() -> None:
    kafka = a_kafka(sales=[1, 2, 3])
    with a_session(kafka), Topic("sales") as sales:
        sales.next(0)
        sales.next(0)

        past = [record.value for record in sales.replay()]

    assert past == [1, 2, 3]
    assert committed(kafka, "sales") == 2


def test_replay_since_an_instant_leaves_out_what_was_before() -> None:
    kafka = a_kafka(sales=[1, 2, 3])
    with a_session(kafka):
        since = datetime.fromtimestamp(1_700_000_000.002, UTC)
        past = [record.value for record in Topic("sales").replay(since)]

    assert past == [2, 3]


def test_from_beginning_reads_everything_each_time_and_commits_nothing() -> None:
    kafka = a_kafka(sales=[1, 2])
    with a_session(kafka):
        first = Topic("sales").from_beginning()
        seen = [first.next(0), first.next(0)]
        behind = first.caught_up
        first.next(0)
        caught_up = first.caught_up
        again = Topic("sales").from_beginning().next(0)

    assert [record and record.value for record in seen] == [1, 2]
    assert (behind, caught_up) == (False, True)
    assert again is not None
    assert again.value == 1
    assert kafka.committed == {}


def test_the_newest_record_is_the_one_written_last() -> None:
    kafka = a_kafka(sales=[1, 2])
    fill(kafka, "sales", [3], key="cake")
    with a_session(kafka):
        record = Topic("sales").newest()

    assert record is not None
    assert record.value == 3


def test_an_empty_topic_has_no_newest_record() -> None:
    with a_session(a_kafka(sales=[])):
        assert Topic("sales").newest() is None

"""Sending to a topic: JSON, headers that tell where a record comes from, and failures."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from pathlib import Path

import pytest

from kirby.core.errors import DeliveryFailed, InvalidInput, InvalidName
from kirby.script.topic import Topic
from tests.builders.script import a_kafka, a_session, header, values


def test_what_is_sent_is_delivered_at_the_end_of_the_with_block() -> None:
    kafka = a_kafka()

    with a_session(kafka), Topic("sales") as sales:
        sales.send({"product": "bread"}, key=7)

    [record] = kafka.records("sales")
    assert record.key == b"7"
    assert values([record]) == [{"product": "bread"}]


def test_values_may_be_whatever_has_a_json_form() -> None:
    class Colour(Enum):
        RED = "red"

    @dataclass
    class Sale:
        at: datetime
        amount: Decimal
        colour: Colour
        receipt: Path

    sale = Sale(datetime(2026, 5, 1, 6, tzinfo=UTC), Decimal("1.20"), Colour.RED, Path("/r/1"))
    kafka = a_kafka()

    with a_session(kafka), Topic("sales") as sales:
        sales.send(sale)

    assert values(kafka.records("sales")) == [
        {"at": "2026-05-01T06:00:00Z", "amount": "1.20", "colour": "red", "receipt": "/r/1"}
    ]


def test_none_becomes_a_record_without_a_value() -> None:
    kafka = a_kafka()

    with a_session(kafka), Topic("sales") as sales:
        sales.send(None, key="bread")

    assert kafka.records("sales")[0].value is None


def test_a_value_that_is_not_json_is_refused_with_the_topics_name() -> None:
    with a_session(a_kafka()), pytest.raises(InvalidInput, match='topic "sales": the value'):
        Topic("sales").send(object())


def test_headers_tell_run_attempt_script_and_fencing_token() -> None:
    kafka = a_kafka()

    with a_session(kafka), Topic("sales") as sales:
        sales.send(1)

    [record] = kafka.records("sales")
    assert header(record, "kirby-run") == "pump/prod@2026-05-01T06:00:00Z"
    assert header(record, "kirby-attempt") == "1"
    assert header(record, "kirby-script") == "pump==1.4.0"
    assert header(record, "kirby-fencing-token") == "7"


def test_outside_kirby_there_are_no_such_headers() -> None:
    kafka = a_kafka()

    with (
        a_session(kafka, run="", attempt=None, package="", fencing_token=None),
        Topic("sales") as sales,
    ):
        sales.send(1)

    assert list(kafka.records("sales")[0].headers) == []


def test_a_record_tells_which_records_it_was_made_from() -> None:
    kafka = a_kafka(sales=[1, 2], stock=[3])
    with a_session(kafka), Topic("sales") as sales, Topic("stock") as stock:
        sales.next(0)
        second, other = sales.next(0), stock.next(0)

        with Topic("forecast") as forecast:
            forecast.send("more")

    assert second is not None
    assert other is not None
    assert header(kafka.records("forecast")[0], "kirby-from") == (
        f"sales/{second.partition}/1,stock/{other.partition}/0"
    )


def test_a_script_may_name_the_records_itself() -> None:
    kafka = a_kafka(sales=[1, 2, 3])
    with a_session(kafka), Topic("sales") as sales, Topic("forecast") as forecast:
        records = [record for _ in range(3) if (record := sales.next(0))]

        forecast.send("more", made_from=records)

    partition = records[0].partition
    assert header(kafka.records("forecast")[0], "kirby-from") == f"sales/{partition}/0-2"


def test_a_record_made_of_nothing_says_so_by_having_no_origin() -> None:
    kafka = a_kafka()

    with a_session(kafka), Topic("sales") as sales:
        sales.send(1)

    assert header(kafka.records("sales")[0], "kirby-from") is None


def test_a_script_has_headers_of_its_own_but_not_under_kirbys_names() -> None:
    kafka = a_kafka()
    with a_session(kafka), Topic("sales") as sales:
        sales.send(1, headers={"shop": "north"})

        with pytest.raises(InvalidInput, match='header "kirby-run"'):
            sales.send(1, headers={"kirby-run": "mine"})

    assert header(kafka.records("sales")[0], "shop") == "north"


def test_the_end_of_the_with_block_says_in_one_sentence_what_was_not_delivered() -> None:
    kafka = a_kafka()
    kafka.refuses = "Broker: Message size too large"

    with (
        a_session(kafka),
        pytest.raises(DeliveryFailed) as failed,
        Topic("sales") as sales,
    ):
        sales.send(1)

    assert str(failed.value) == (
        '1 record was not delivered to topic "sales": Broker: Message size too large; nothing '
        "read since is committed, so run the script again when that is mended"
    )


def test_the_scripts_own_exception_is_not_hidden_by_a_failed_delivery(
    capsys: pytest.CaptureFixture[str],
) -> None:
    kafka = a_kafka()
    kafka.refuses = "gone"

    with a_session(kafka), suppress(ZeroDivisionError), Topic("sales") as sales:
        sales.send(1)
        raise ZeroDivisionError

    assert "1 record was not delivered" in capsys.readouterr().err


def test_a_script_that_sends_on_after_a_failure_is_told() -> None:
    kafka = a_kafka()
    with a_session(kafka) as session:
        sales = Topic("sales")
        kafka.refuses = "gone"
        sales.send(1)
        session.sender.serve()

        with pytest.raises(DeliveryFailed):
            sales.send(2)


def test_a_script_that_goes_on_after_a_failure_is_told_of_the_next_one() -> None:
    kafka = a_kafka()
    with a_session(kafka):
        sales = Topic("sales")
        kafka.refuses = "gone"
        sales.send(1)
        with pytest.raises(DeliveryFailed, match="1 record was"):
            sales.flush()

        sales.flush()
        sales.send(2)
        with pytest.raises(DeliveryFailed, match="2 records were"):
            sales.flush()


def test_flush_waits_for_everything_sent() -> None:
    kafka = a_kafka()
    with a_session(kafka):
        sales = Topic("sales")
        sales.send(1)

        sales.flush()

        assert values(kafka.records("sales")) == [1]


@pytest.mark.parametrize("name", ["", "två", "a b", "a/b", ".kirby.runs", "x" * 250])
def test_a_name_that_kafka_would_refuse_is_refused_at_once(name: str) -> None:
    with pytest.raises(InvalidName, match="topic name"):
        Topic(name)

"""What the script library relies on in a Kafka client: run against the fake and the real one."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from kirby.script.ports import Beginning, Client, Last, Reading, Received, Since

LIMIT_SECONDS = 30.0
EMPTY_SECONDS = 1.0


def nobody(_partitions: Sequence[int]) -> None:
    """Lose partitions without a word."""


def write(client: Client, topic: str, count: int, *, first: int = 0) -> list[str]:
    """Send `count` records with keys and values of their numbers; return what went wrong."""
    client.create(topic)
    writing = client.writing()
    outcomes: list[str] = []
    for number in range(first, first + count):
        text = str(number).encode()
        writing.send(topic, text, text, [("colour", b"red")], outcomes.append)
    writing.flush(LIMIT_SECONDS)
    return outcomes


def read(reading: Reading, count: int) -> list[Received]:
    """Read so many records."""
    found: list[Received] = []
    end = time.monotonic() + LIMIT_SECONDS
    while len(found) < count and time.monotonic() < end:
        if (received := reading.poll(0.1)) is not None:
            found.append(received)
    return found


def join(reading: Reading) -> None:
    """Wait until it is admitted to its group."""
    end = time.monotonic() + LIMIT_SECONDS
    while not reading.is_joined and time.monotonic() < end:
        assert reading.poll(0.1) is None
    assert reading.is_joined


def poll_in_turn(
    readings: Sequence[Reading], into: list[Received], *, until: Callable[[], bool]
) -> None:
    """Poll several members of a group until something is so."""
    end = time.monotonic() + LIMIT_SECONDS
    while not until():
        assert time.monotonic() < end
        polled = [reading.poll(0.05) for reading in readings]
        into.extend(received for received in polled if received is not None)


def is_empty(reading: Reading) -> bool:
    """Read for a while and find nothing."""
    join(reading)
    end = time.monotonic() + EMPTY_SECONDS
    while time.monotonic() < end:
        if reading.poll(0.1) is not None:
            return False
        if getattr(reading, "_kafka", None):  # the fake has it at once or never
            return True
    return True


def numbers(records: Sequence[Received]) -> list[int]:
    """Return what the records hold, in order."""
    return sorted(int(record.value or b"-1") for record in records)


class ClientContract:
    """Inherit, and give the fixtures `client` and `topic`."""

    def test_what_is_sent_is_acknowledged_and_read_with_key_and_headers(
        self, client: Client, topic: str
    ) -> None:
        outcomes = write(client, topic, 1)

        [record] = read(client.outside(topic, Beginning()), 1)

        assert outcomes == [""]
        assert (record.key, record.value) == (b"0", b"0")
        assert list(record.headers) == [("colour", b"red")]
        assert record.topic == topic

    def test_creating_a_topic_again_changes_nothing(self, client: Client, topic: str) -> None:
        write(client, topic, 3)

        client.create(topic)

        assert numbers(read(client.outside(topic, Beginning()), 3)) == [0, 1, 2]

    def test_records_of_one_key_lie_in_one_partition_in_order(
        self, client: Client, topic: str
    ) -> None:
        client.create(topic)
        writing = client.writing()
        for number in range(20):
            writing.send(topic, b"bread", str(number).encode(), [], lambda _: None)
        writing.flush(LIMIT_SECONDS)

        records = read(client.outside(topic, Beginning()), 20)

        assert [int(record.value or b"") for record in records] == list(range(20))
        assert len({record.partition for record in records}) == 1

    def test_a_new_group_begins_with_the_first_record(self, client: Client, topic: str) -> None:
        write(client, topic, 10)

        reading = client.group(topic, f"{topic}.group", nobody)
        found = read(reading, 10)
        reading.close()

        assert numbers(found) == list(range(10))

    def test_the_next_member_goes_on_after_what_was_settled(
        self, client: Client, topic: str
    ) -> None:
        write(client, topic, 10)
        first = client.group(topic, f"{topic}.group", nobody)
        for record in read(first, 10):
            first.settle(record.place)
        first.close()

        write(client, topic, 2, first=10)
        second = client.group(topic, f"{topic}.group", nobody)
        found = read(second, 2)
        left = is_empty(second)
        second.close()

        assert numbers(found) == [10, 11]
        assert left

    def test_what_was_not_settled_is_read_again(self, client: Client, topic: str) -> None:
        write(client, topic, 5)
        first = client.group(topic, f"{topic}.group", nobody)
        read(first, 5)
        first.close()

        second = client.group(topic, f"{topic}.group", nobody)
        again = read(second, 5)
        second.close()

        assert numbers(again) == list(range(5))

    def test_two_members_of_a_group_share_the_partitions(self, client: Client, topic: str) -> None:
        client.create(topic)
        lost: list[int] = []
        first = client.group(topic, f"{topic}.group", lost.extend)
        join(first)
        second = client.group(topic, f"{topic}.group", nobody)
        by_both: list[Received] = []
        poll_in_turn([first, second], by_both, until=lambda: second.is_joined and bool(lost))

        write(client, topic, 60)
        poll_in_turn([first, second], by_both, until=lambda: len(by_both) == 60)
        first.close()
        second.close()

        assert len(lost) >= 3
        assert numbers(by_both) == list(range(60))

    def test_a_member_on_hold_reads_nothing_until_it_goes_on(
        self, client: Client, topic: str
    ) -> None:
        write(client, topic, 3)
        reading = client.group(topic, f"{topic}.group", nobody)
        first = read(reading, 1)

        reading.hold()
        on_hold = is_empty(reading)
        reading.go_on()
        others = read(reading, 2)
        reading.close()

        assert on_hold
        assert numbers([*first, *others]) == [0, 1, 2]

    def test_reading_outside_ends_with_what_is_there(self, client: Client, topic: str) -> None:
        write(client, topic, 7)

        found, reading = [], client.outside(topic, Beginning())
        while not reading.is_caught_up:
            if (record := reading.poll(0.1)) is not None:
                found.append(record)
        reading.close()

        assert numbers(found) == list(range(7))

    def test_an_empty_topic_is_caught_up_with_at_once(self, client: Client, topic: str) -> None:
        client.create(topic)

        reading = client.outside(topic, Beginning())
        while not reading.is_caught_up:
            assert reading.poll(0.1) is None
        reading.close()

    def test_the_last_record_of_each_partition_is_found(self, client: Client, topic: str) -> None:
        write(client, topic, 30)
        records = read(client.outside(topic, Beginning()), 30)
        last = {record.partition: record for record in sorted(records, key=lambda r: r.offset)}

        reading = client.outside(topic, Last(1))
        found = read(reading, len(last))

        assert numbers(found) == numbers(list(last.values()))
        assert not reading.is_empty

    def test_a_topic_without_records_is_known_to_be_empty_from_its_end(
        self, client: Client, topic: str
    ) -> None:
        client.create(topic)

        reading = client.outside(topic, Last(1))
        while not reading.is_caught_up:
            assert reading.poll(0.1) is None

        assert reading.is_empty

    def test_reading_since_an_instant_leaves_out_what_was_before(
        self, client: Client, topic: str
    ) -> None:
        write(client, topic, 3)
        before = read(client.outside(topic, Beginning()), 3)
        time.sleep(0.02 if not hasattr(client, "now_ms") else 0)
        write(client, topic, 2, first=3)
        newest = max(record.at_ms for record in before)

        at = datetime.fromtimestamp(newest / 1000, UTC) + timedelta(milliseconds=1)
        found = read(client.outside(topic, Since(at)), 2)

        assert numbers(found) == [3, 4]

"""Whether topics were read up to end offsets (rule C1)."""

from kirby.core.claims.reading_up import ReadingUp
from kirby.core.records import TopicName

CLAIMS = TopicName.CLAIMS


def test_nothing_is_read_up_before_the_ends_are_known() -> None:
    assert not ReadingUp().reached((CLAIMS, 0), 10).is_complete


def test_each_partition_must_be_read_to_its_end() -> None:
    reading = ReadingUp().until({CLAIMS: (3, 5)}).reached((CLAIMS, 0), 3)

    assert not reading.is_complete
    assert reading.reached((CLAIMS, 1), 5).is_complete


def test_what_was_read_before_the_ends_were_known_counts() -> None:
    reading = ReadingUp().reached((CLAIMS, 0), 9)

    assert reading.until({CLAIMS: (9,)}).is_complete


def test_an_empty_partition_counts_once_its_end_was_reached() -> None:
    reading = ReadingUp().until({CLAIMS: (0,)})

    assert not reading.is_complete
    assert reading.reached((CLAIMS, 0), 0).is_complete


def test_a_position_never_goes_back() -> None:
    reading = ReadingUp().until({CLAIMS: (9,)}).reached((CLAIMS, 0), 9).reached((CLAIMS, 0), 2)

    assert reading.is_complete

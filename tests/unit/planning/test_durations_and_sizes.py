from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kirby.core.durations import (
    parse_duration,
    parse_size,
    write_duration,
    write_size,
    write_took,
)
from kirby.core.errors import InvalidInput


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90 s", 90),
        ("90s", 90),
        ("5 min", 300),
        ("2 h", 7200),
        ("1 h 30 min", 5400),
        ("1h30min", 5400),
        ("1.5 h", 5400),
        ("250 ms", 0.25),
        ("3 Days", 259_200),
        ("0 s", 0),
        ("  2 hours  ", 7200),
    ],
)
def test_a_duration_is_read_as_people_write_it(text: str, seconds: float) -> None:
    assert parse_duration(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    "text", ["", "90", "s", "-5 s", "5 m", "5 parsec", "5 min or so", "1e3 s", "٣ s", "nan s"]
)
def test_what_is_no_duration_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_duration(text)

    assert str(refusal.value) == (
        f'duration "{text}": write it with its unit, as "90 s", "5 min", "2 h"'
    )


@pytest.mark.parametrize("text", ["4000 d", "999999999999 d", "99999999999 h 99999999999 h"])
def test_a_duration_of_more_than_ten_years_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="longer than ten years"):
        parse_duration(text)


@given(st.integers(0, 10**11))
def test_a_written_duration_is_read_again_as_the_same(milliseconds: int) -> None:
    duration = timedelta(milliseconds=milliseconds)

    assert parse_duration(write_duration(duration)) == duration


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.00139, "1.4 ms"),
        (0.41, "0.41 s"),
        (9.9499, "9.95 s"),
        (12.3, "12 s"),
        (123, "2 min 3 s"),
        (7200, "2 h"),
        (90_061, "1 d 1 h"),
    ],
)
def test_a_measured_duration_has_the_digits_that_matter(seconds: float, text: str) -> None:
    assert write_took(timedelta(seconds=seconds)) == text


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("50 MB", 50_000_000),
        ("50MB", 50_000_000),
        ("64 KiB", 65_536),
        ("1.5 GB", 1_500_000_000),
        ("10 kb", 10_000),
        ("7 B", 7),
    ],
)
def test_a_size_is_read_as_people_write_it(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "50", "MB", "-5 MB", "5 min", "5 MB or so"])
def test_what_is_no_size_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        parse_size(text)

    assert str(refusal.value) == f'size "{text}": write it with its unit, as "50 MB" or "64 KiB"'


def test_a_size_beyond_all_machines_is_refused() -> None:
    with pytest.raises(InvalidInput, match="larger than any machine"):
        parse_size("999999999999 TB")


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (50_000_000, "50 MB"),
        (65_536, "64 KiB"),
        (999, "999 B"),
        (0, "0 B"),
        (1234, "1.2 kB"),
        (2_500_001, "2.5 MB"),
    ],
)
def test_a_size_is_written_in_the_unit_that_fits(size: int, text: str) -> None:
    assert write_size(size) == text

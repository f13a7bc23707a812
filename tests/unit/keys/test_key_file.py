"""The file in which a host keeps the cluster's keys."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kirby.core.errors import Insecure
from kirby.core.key_ring import KeyRing, RingKey
from kirby.host.key_file import KeyFile, change_ring, parse_ring, read_ring, write_ring
from kirby.host.keys import load_keys, load_or_create_keys
from kirby.host.state import StateFolder

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
FIRST, SECOND = RingKey(secret=b"1" * 32), RingKey(secret=b"2" * 32, since=NOON)
RING = KeyRing(keys=(RingKey(secret=b"1" * 32, until=NOON + timedelta(days=1)), SECOND))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give the place of a key file."""
    return tmp_path / "key"


def test_a_ring_is_read_as_it_was_written_and_by_its_owner_only(path):
    write_ring(path, RING)

    assert read_ring(path) == RING
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_of_an_earlier_kirby_with_a_single_key_is_read(path):
    path.write_text("31" * 32)
    path.chmod(0o600)

    assert read_ring(path) == KeyRing(keys=(FIRST,))


def test_the_first_start_makes_a_key_and_the_next_one_finds_it(tmp_path):
    folder = StateFolder(path=tmp_path)

    made, found = load_or_create_keys(folder), load_or_create_keys(folder)

    assert made.host_token() == found.host_token()


@pytest.mark.parametrize(
    "text", ["", "31" * 31, "zz" * 32, "{}", '{"keys": []}', '{"keys": [{"secret": "31"}]}', "{"]
)
def test_what_is_no_key_is_refused_with_the_way_to_mend_it(path, text):
    path.write_text(text)
    path.chmod(0o600)

    with pytest.raises(Insecure, match=r"is no cluster key.*kirby key take --replace"):
        read_ring(path)


def test_a_torn_ring_is_refused(path):
    write_ring(path, RING)
    whole = path.read_text()

    assert all(parse_ring(whole[:size]) is None for size in range(len(whole.rstrip())))


def test_a_time_without_its_zone_is_no_time(path):
    told = '{"keys": [{"secret": "%s", "since": "2026-11-29T12:00:00"}]}' % ("31" * 32)

    assert parse_ring(told) is None


def test_a_file_that_others_may_read_is_refused(path):
    write_ring(path, RING)
    path.chmod(0o640)

    with pytest.raises(Insecure, match="chmod 600"):
        read_ring(path)


def test_a_missing_file_is_told_with_both_ways_to_get_one(tmp_path):
    with pytest.raises(Insecure, match="start Kirby once, or take the key of another host"):
        load_keys(StateFolder(path=tmp_path))


def test_a_change_of_the_file_is_followed_without_a_restart(path):
    write_ring(path, KeyRing(keys=(FIRST,)))
    file = KeyFile(path=path)
    before = file.ring()

    write_ring(path, RING)

    assert (before, file.ring()) == (KeyRing(keys=(FIRST,)), RING)


def test_a_file_that_is_torn_or_gone_under_a_living_process_leaves_it_its_keys(path):
    write_ring(path, RING)
    file = KeyFile(path=path)
    file.ring()

    path.write_text("{")
    torn = file.ring()
    path.unlink()

    assert (torn, file.ring()) == (RING, RING)


def test_a_change_is_made_of_what_stands_in_the_file_and_leaves_no_draft(path):
    write_ring(path, KeyRing(keys=(FIRST,)))

    after = change_ring(path, lambda ring: KeyRing(keys=(*ring.keys, SECOND)))

    assert read_ring(path) == after
    assert sorted(each.name for each in path.parent.iterdir()) == ["key", "locks"]

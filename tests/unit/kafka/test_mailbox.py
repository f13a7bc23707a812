"""A mailbox: readable while it has something, drained as a whole."""

import select
import threading

import pytest

from kirby.kafka.mailbox import Mailbox


@pytest.fixture
def mailbox() -> Mailbox[int]:
    return Mailbox()


def is_readable(mailbox: Mailbox[int]) -> bool:
    return bool(select.select([mailbox], [], [], 0)[0])


def put_many(mailbox: Mailbox[int], count: int) -> None:
    for _ in range(count):
        mailbox.put(1)


def test_it_is_readable_only_while_it_has_something(mailbox: Mailbox[int]) -> None:
    before = is_readable(mailbox)
    mailbox.put(1)
    during = is_readable(mailbox)
    mailbox.drain()

    assert (before, during, is_readable(mailbox)) == (False, True, False)


def test_many_wakes_become_one_and_all_items_come_in_order(mailbox: Mailbox[int]) -> None:
    mailbox.put(1, 2)
    mailbox.put_all([3])

    assert mailbox.drain() == [1, 2, 3]
    assert mailbox.drain() == []


def test_putting_nothing_wakes_nobody(mailbox: Mailbox[int]) -> None:
    mailbox.put_all([])

    assert not is_readable(mailbox)


def test_after_its_end_it_takes_nothing_and_has_no_descriptor(mailbox: Mailbox[int]) -> None:
    mailbox.close()
    mailbox.put(1)
    mailbox.close()

    assert mailbox.drain() == []
    assert mailbox.fileno() == -1


def test_nothing_is_lost_between_threads_that_put_and_one_that_drains(
    mailbox: Mailbox[int],
) -> None:
    threads = [threading.Thread(target=put_many, args=(mailbox, 1000)) for _ in range(4)]
    for thread in threads:
        thread.start()

    taken = 0
    while taken < 4000:
        assert select.select([mailbox], [], [], 10)[0]
        taken += len(mailbox.drain())

    assert taken == 4000

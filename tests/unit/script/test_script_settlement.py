"""When an offset may be committed: after all that was sent before its record was finished."""

from kirby.script.settlement import Place, Settlement


def place(offset: int, partition: int = 0) -> Place:
    return Place("sales", partition, offset)


def test_a_record_of_which_nothing_was_made_is_settled_at_once() -> None:
    account = Settlement()

    account.finish(place(0))

    assert account.settled() == [place(0)]


def test_a_record_waits_for_what_was_sent_before_it_was_finished() -> None:
    account = Settlement()
    ticket = account.send()
    account.finish(place(0))

    before = account.settled()
    account.acknowledge(ticket)

    assert before == []
    assert account.settled() == [place(0)]


def test_what_was_sent_later_does_not_hold_up_an_earlier_record() -> None:
    account = Settlement()
    account.finish(place(0))
    account.send()
    account.finish(place(1))

    assert account.settled() == [place(0)]


def test_acknowledgements_out_of_order_settle_only_up_to_the_gap() -> None:
    account = Settlement()
    first = account.send()
    account.finish(place(0))
    second = account.send()
    account.finish(place(1))

    account.acknowledge(second)
    with_a_gap = account.settled()
    account.acknowledge(first)

    assert with_a_gap == []
    assert account.settled() == [place(1)]


def test_of_each_partition_only_the_last_place_is_told() -> None:
    account = Settlement()
    for offset in range(3):
        account.finish(place(offset))
    account.finish(place(9, partition=1))

    assert sorted(account.settled()) == [place(2), place(9, partition=1)]


def test_what_is_settled_is_told_once() -> None:
    account = Settlement()
    account.finish(place(0))
    account.settled()

    assert account.settled() == []


def test_partitions_that_others_read_now_are_forgotten() -> None:
    account = Settlement()
    ticket = account.send()
    account.finish(place(0))
    account.finish(place(5, partition=1))

    account.lose("sales", [0])
    account.acknowledge(ticket)

    assert account.settled() == [place(5, partition=1)]


def test_it_counts_what_is_not_acknowledged() -> None:
    account = Settlement()
    first, second = account.send(), account.send()
    account.send()

    account.acknowledge(second)
    account.acknowledge(first)

    assert account.unacknowledged == 1

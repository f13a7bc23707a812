"""Whose turn it is: each folder once in the line, a few at a time."""

from kirby.core.shipping.errands import AT_A_TIME, Errands


def a_line(*names: str) -> Errands:
    return Errands().news_of(names)


def taken(errands: Errands) -> list[str]:
    """Take as many as there are."""
    names: list[str] = []
    while True:
        errands, name = errands.next()
        if name is None:
            return names
        names.append(name)


def test_folders_are_looked_at_in_the_order_of_their_news() -> None:
    assert taken(a_line("a", "b", "c")) == ["a", "b", "c"]


def test_news_twice_is_one_look() -> None:
    assert taken(a_line("a", "b").news("a")) == ["a", "b"]


def test_news_of_one_that_is_out_waits_until_it_is_back() -> None:
    errands, _ = a_line("a").next()
    errands = errands.news("a")

    _, meanwhile = errands.next()
    _, back = errands.done("a").next()

    assert (meanwhile, back) == (None, "a")


def test_only_so_many_are_out_at_a_time() -> None:
    assert len(taken(a_line(*(f"run{n}" for n in range(500))))) == AT_A_TIME


def test_one_that_failed_waits() -> None:
    errands, _ = a_line("a").next()
    errands = errands.later("a", 10.0)

    assert taken(errands.ripe(9.9)) == []
    assert taken(errands.ripe(10.0)) == ["a"]
    assert errands.next_wake() == 10.0


def test_news_ends_the_waiting() -> None:
    errands, _ = a_line("a").next()

    assert taken(errands.later("a", 10.0).news("a")) == ["a"]


def test_news_that_came_while_it_was_out_is_looked_at_though_it_failed() -> None:
    errands, _ = a_line("a").next()

    assert taken(errands.news("a").later("a", 10.0)) == ["a"]

"""Who is handed the roll, and when."""

from kirby.core.names import Host
from kirby.core.roll_call import PRESENT_FOR_S, Acquaintances, Introduction, Roll
from tests.builders.joining import introduction


def names(introductions: object) -> list[str]:
    return [each.host for each in introductions]  # type: ignore[attr-defined]


def a_roll(*hosts: Introduction, at: float = 0.0) -> Roll:
    roll = Roll()
    for host in hosts:
        roll, _ = roll.enter(host, at)
    return roll


def test_a_newcomer_is_told_to_all_who_are_here():
    roll = a_roll(introduction("alpha"), introduction("beta"))

    roll, told = roll.enter(introduction("gamma"), 1.0)

    assert names(told) == ["alpha", "beta", "gamma"]
    assert names(roll.present(1.0)) == ["alpha", "beta", "gamma"]


def test_who_is_known_already_is_told_alone():
    roll = a_roll(introduction("alpha"), introduction("beta"))

    _, told = roll.enter(introduction("beta"), 3.0)

    assert names(told) == ["beta"]


def test_a_later_life_is_news_and_an_earlier_one_is_not():
    roll = a_roll(introduction("alpha"), introduction("beta", life=2))

    later, told = roll.enter(introduction("beta", life=3), 1.0)
    unchanged, nobody = later.enter(introduction("beta", life=2), 1.0)

    assert names(told) == ["alpha", "beta"]
    assert nobody == []
    assert unchanged.present(1.0) == later.present(1.0)


def test_a_second_host_of_a_name_is_not_entered_while_the_first_is_here():
    first = introduction("alpha", folder="first")
    roll = a_roll(first)

    roll, told = roll.enter(introduction("alpha", folder="second"), 1.0)

    assert told == []
    assert roll.present(1.0) == (first,)


def test_the_name_of_a_host_that_was_not_seen_for_long_is_free():
    roll = a_roll(introduction("alpha", folder="first"))
    second = introduction("alpha", folder="second")

    roll, told = roll.enter(second, PRESENT_FOR_S + 0.1)

    assert told == [second]


def test_who_presents_itself_no_more_is_not_here():
    roll = a_roll(introduction("alpha"))

    assert roll.present(PRESENT_FOR_S) != ()
    assert roll.present(PRESENT_FOR_S + 0.1) == ()


def test_a_host_is_remembered_when_the_roll_names_it_no_more():
    met = Acquaintances(me=Host("alpha")).meet([introduction("alpha"), introduction("beta")])

    met = met.meet([introduction("gamma")])

    assert sorted(met.met) == ["beta", "gamma"]


def test_of_two_lives_of_a_host_the_later_counts():
    met = Acquaintances(me=Host("alpha")).meet([introduction("beta", life=2)])

    met = met.meet([introduction("beta", life=1)])

    assert met.met[Host("beta")].supervisor == "beta, life 2"


def test_a_host_whose_state_folder_was_made_anew_begins_its_lives_again():
    met = Acquaintances(me=Host("alpha")).meet([introduction("beta", life=7)])

    met = met.meet([introduction("beta", life=1, folder="new")])

    assert met.met[Host("beta")].life == 1

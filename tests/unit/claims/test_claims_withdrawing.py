"""Rule C6: the leader's own claim withdraws an attempt, or stops it."""

import pytest

from kirby.core.claims.effects import AnyEffect, Arm, Bar, PostNotStarted, Stop
from kirby.core.claims.events import BarAnswered, ShimListed, Ticked
from kirby.core.nouns import LeaderReason, NotStartedReason
from kirby.core.records import Phase
from tests.builders.claims import (
    BETA,
    a_claim,
    a_leader_claim,
    a_runner,
    an_offer,
    attempt,
    claimed_runs,
    held,
    only,
)

WITHDRAWING = [
    LeaderReason.MISSED,
    LeaderReason.SUSPENDED,
    LeaderReason.DISABLED,
    LeaderReason.DELETED,
]
STOPPING = [LeaderReason.STOPPED, LeaderReason.REPLACED]


def begun(phase: Phase = Phase.RUNNING) -> BarAnswered:
    return BarAnswered(attempt=attempt(), phase=phase)


def barred(effects: list[AnyEffect]) -> bool:
    return [bar.attempt for bar in only(Bar, effects)] == [attempt()]


def test_an_offer_whose_first_claim_is_the_leaders_is_open_to_nobody() -> None:
    runner = a_runner(host=BETA)
    runner.reads(an_offer())

    runner.reads(a_leader_claim())

    assert claimed_runs(runner.at(10.0)) == []


def test_the_own_claim_after_the_leaders_arms_nothing() -> None:
    runner = a_runner()
    runner.reads(an_offer())
    runner.reads(a_leader_claim())

    effects = runner.reads(runner.own_claim())

    assert only(Arm, effects) == []
    assert runner.state.holding.free == 2


@pytest.mark.parametrize("reason", WITHDRAWING + STOPPING)
def test_an_attempt_that_was_won_and_not_armed_is_barred(reason: LeaderReason) -> None:
    runner = a_runner()
    runner.wins()

    on_claim = runner.reads(a_leader_claim(reason=reason))
    on_barred = runner.told(BarAnswered(attempt=attempt(), phase=None))

    assert barred(on_claim)
    [posted] = only(PostNotStarted, on_barred)
    assert posted.report.why is NotStartedReason.WITHDRAWN
    assert posted.report.leader_reason is reason


def test_a_parked_attempt_is_barred() -> None:
    runner = a_runner()
    runner.holds(phase=Phase.PARKED)

    assert barred(runner.reads(a_leader_claim()))


@pytest.mark.parametrize("reason", WITHDRAWING)
def test_a_released_run_is_left_alone_by_a_withdrawal(reason: LeaderReason) -> None:
    runner = a_runner()
    runner.holds()
    runner.reads(a_leader_claim(reason=reason))

    effects = runner.told(begun())

    assert only(Stop, effects) == []
    assert only(PostNotStarted, effects) == []


@pytest.mark.parametrize("reason", STOPPING)
def test_a_released_run_is_stopped_by_a_stop(reason: LeaderReason) -> None:
    runner = a_runner()
    runner.holds()
    runner.reads(a_leader_claim(reason=reason))

    effects = runner.told(begun())

    assert [(stop.attempt, stop.reason) for stop in only(Stop, effects)] == [(attempt(), reason)]


def test_a_run_that_is_being_stopped_is_not_stopped_again() -> None:
    runner = a_runner()
    runner.holds(phase=Phase.STOPPING)
    runner.reads(a_leader_claim(reason=LeaderReason.STOPPED))

    assert only(Stop, runner.told(begun(Phase.STOPPING))) == []


def test_a_repeated_claim_of_the_leader_is_obeyed_again() -> None:
    runner = a_runner()
    runner.holds()
    runner.reads(a_leader_claim(reason=LeaderReason.STOPPED))
    runner.told(begun())

    runner.reads(a_leader_claim(reason=LeaderReason.STOPPED))
    effects = runner.told(begun())

    assert len(only(Stop, effects)) == 1


def test_a_run_that_only_the_shim_still_knows_of_is_stopped() -> None:
    runner = a_runner()
    runner.in_shim = (held("pump/prod@12:00"),)
    runner.at(6.0)  # a heartbeat has asked for the list

    effects = runner.reads(a_leader_claim(reason=LeaderReason.STOPPED))

    assert barred(effects)


def test_an_attempt_of_another_host_is_not_barred() -> None:
    runner = a_runner()
    runner.reads(a_claim(by=BETA))

    assert runner.reads(a_leader_claim()) == []


def test_a_withdrawal_while_a_report_is_on_its_way_changes_nothing() -> None:
    runner = a_runner()
    runner.wins()
    runner.reads(a_leader_claim())
    runner.told(BarAnswered(attempt=attempt(), phase=None))

    effects = runner.reads(a_leader_claim())

    assert effects == []


def test_a_barred_attempt_that_was_parked_takes_no_slot() -> None:
    runner = a_runner(slots=1)
    runner.holds(phase=Phase.PARKED)
    runner.reads(a_leader_claim())

    runner.told(BarAnswered(attempt=attempt(), phase=None))

    assert runner.state.holding.free == 1


def test_a_list_asked_for_before_a_bar_does_not_bring_the_attempt_back() -> None:
    runner = a_runner(slots=1)
    runner.holds(phase=Phase.PARKED)
    runner.seconds = 6.0
    runner.told(Ticked())  # asks for the list
    runner.reads(a_leader_claim())
    runner.told(BarAnswered(attempt=attempt(), phase=None))

    number = runner.state.pulse.number
    runner.told(ShimListed(number=number, held=(held(phase=Phase.PARKED),)))

    assert runner.state.holding.free == 1

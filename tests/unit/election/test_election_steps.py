"""Single steps of the election, as one Supervisor sees them."""

import pytest

from kirby.core.election.state import (
    LeadLost,
    PulseHeard,
    SchedulerGone,
    SendPulse,
    Stance,
    Stand,
    StandDown,
    Ticked,
)
from kirby.core.messages import LeadFailure, LeadState
from tests.builders.election import Supervisor

FAILED = LeadLost(failure=LeadFailure.FAILED)
GATE = LeadLost(failure=LeadFailure.GATE)
FENCED = LeadLost(failure=LeadFailure.FENCED)


def a_candidate() -> Supervisor:
    beta = Supervisor()
    beta.scheduler_says()
    return beta


def a_leader(**given: object) -> Supervisor:
    beta = a_candidate()
    beta.scheduler_says(LeadState.LEADING, epoch=7, read_ups=1)
    return beta


def test_a_lone_supervisor_stands_as_soon_as_its_scheduler_has_kafka() -> None:
    beta = Supervisor()

    before = beta.hears(Ticked())
    after = beta.scheduler_says()

    assert before == []
    assert after == [Stand(term=1)]


@pytest.mark.parametrize("said", [{"confirmed_ago": 2.1}, {"clock_off": 2.5}, {"clock_off": -2.5}])
def test_without_kafka_or_a_true_clock_it_does_not_stand(said: dict[str, float]) -> None:
    beta = Supervisor()

    orders = beta.scheduler_says(**said)  # type: ignore[arg-type]

    assert orders == []


def test_in_a_new_cluster_where_no_clock_is_known_yet_it_stands() -> None:
    beta = Supervisor()

    orders = beta.scheduler_says(clock_off=None)

    assert orders == [Stand(term=1)]


def test_a_candidate_refused_by_the_gate_tries_again_each_second() -> None:
    beta = a_candidate()

    refused = beta.hears(GATE, after=0.1)
    soon = beta.scheduler_says(after=0.5)
    later = beta.scheduler_says(after=0.5)

    assert (refused, soon, later) == ([], [], [Stand(term=1)])


def test_a_leader_without_a_commit_for_five_seconds_stands_down() -> None:
    beta = a_leader()

    early = beta.scheduler_says(LeadState.LEADING, epoch=7, confirmed_ago=4.9)
    late = beta.scheduler_says(LeadState.LEADING, epoch=7, confirmed_ago=5.1)

    assert early == []
    assert late == [StandDown(term=1)]


def test_a_fenced_leader_follows_at_once_and_does_not_stand_back() -> None:
    beta = a_leader()

    beta.hears(FENCED)

    assert beta.election.stands_back_until is None


def test_a_lone_candidate_that_failed_stands_again_at_once() -> None:
    beta = a_candidate()

    orders = beta.hears(FAILED)

    assert orders == [Stand(term=2)]


def test_one_that_failed_lets_the_next_rank_stand_first() -> None:
    beta = Supervisor(peers=("alpha",))
    beta.hears(Ticked(), after=0.7)
    beta.hears_from("alpha", after=0.5)
    beta.scheduler_says()
    beta.hears_from("alpha", after=0.1)

    orders = beta.hears(FAILED)
    told = [e.pulse for e in beta.done if isinstance(e, SendPulse)][-1]

    assert orders == []
    assert told.stands_back


def test_standing_back_doubles_to_five_minutes_and_a_read_up_ends_it() -> None:
    beta = a_candidate()

    waits = []
    for _ in range(9):
        beta.hears(FAILED)
        assert beta.election.stands_back_until is not None
        waits.append(beta.election.stands_back_until - beta.now)
    beta.scheduler_says(LeadState.LEADING, epoch=3, read_ups=1)

    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]
    assert beta.election.stands_back_until is None


def test_where_all_stand_back_the_highest_rank_stands() -> None:
    beta = Supervisor(peers=("alpha",))
    beta.hears(Ticked(), after=0.7)
    beta.hears_from("alpha", after=0.5, stands_back=True)
    beta.scheduler_says()

    orders = beta.hears(FAILED)

    assert orders == [Stand(term=2)]


def test_a_higher_rank_does_not_depose_a_healthy_leader() -> None:
    beta = Supervisor(peers=("alpha",))
    beta.hears(Ticked(), after=0.7)
    beta.hears_from("alpha", after=0.5, stance=Stance.LEADING, epoch=4)

    orders = beta.scheduler_says(silent=0.2)

    assert orders == []


def test_a_leader_that_hears_of_a_higher_epoch_stands_down() -> None:
    beta = Supervisor(peers=("alpha",))
    beta.hears(Ticked(), after=0.7)
    beta.hears(Ticked(), after=0.7)
    beta.scheduler_says()
    beta.scheduler_says(LeadState.LEADING, epoch=7)

    lower = beta.hears_from("alpha", after=0.1, stance=Stance.LEADING, epoch=6)
    higher = beta.hears_from("alpha", after=0.1, stance=Stance.LEADING, epoch=8)

    assert lower == []
    assert higher == [StandDown(term=1)]


def test_of_two_candidates_the_lower_rank_gives_way() -> None:
    beta = Supervisor(peers=("alpha", "gamma"))
    beta.hears(Ticked(), after=0.7)
    beta.hears(Ticked(), after=0.7)
    beta.scheduler_says()

    lower = beta.hears_from("alpha", after=0.1, stance=Stance.STANDING, term=1)
    higher = beta.hears_from("gamma", after=0.1, stance=Stance.STANDING, term=1)

    assert lower == []
    assert higher == [StandDown(term=1)]


def test_an_unreachable_peer_has_at_most_one_unanswered_pulse_a_second() -> None:
    beta = Supervisor(peers=("alpha",))

    for _ in range(40):
        beta.hears(Ticked(), after=0.125)

    assert len(beta.pulses()) == 1 + 5


def test_a_peer_that_answers_gets_two_pulses_a_second() -> None:
    beta = Supervisor(peers=("alpha",))

    for _ in range(40):
        beta.hears(Ticked(), after=0.1)
        beta.hears_from("alpha")

    assert len(beta.pulses()) == pytest.approx(8, abs=1)


@pytest.mark.parametrize(
    "old", [{"held": 1.5}, {"echo": None}, {"echo_life": 0}], ids=["late", "unasked", "past life"]
)
def test_a_pulse_that_may_be_old_says_nothing(old: dict[str, float | None]) -> None:
    beta = Supervisor(peers=("alpha",))
    stale = beta.pulse_from("alpha", stance=Stance.LEADING, epoch=9, term=5)
    fields = {"echo": beta.now - 1.5, "held": 0.0} if "held" in old else old

    beta.hears_from("alpha", stance=Stance.LEADING, epoch=9, term=5, **fields)

    assert beta.election.peers[stale.host].pulse is None
    assert beta.election.term == 0


def test_a_pulse_overtaken_by_a_later_one_is_dropped() -> None:
    beta = Supervisor(peers=("alpha",))
    first = beta.pulse_from("alpha", term=1)

    beta.hears_from("alpha", after=0.1, term=2)
    beta.hears(PulseHeard(pulse=first))

    heard = beta.election.peers[first.host].pulse
    assert heard is not None
    assert heard.term == 2


def test_one_that_was_frozen_listens_for_a_second_before_it_calls_anyone_dead() -> None:
    beta = Supervisor(peers=("gamma",))
    beta.hears(Ticked(), after=0.7)
    beta.hears_from("gamma", after=0.5, stance=Stance.LEADING, epoch=4)
    beta.scheduler_says()

    thawed = beta.scheduler_says(after=30.0)
    heard = beta.hears_from("gamma", after=0.1, stance=Stance.LEADING, epoch=4)

    assert thawed == []
    assert heard == []


def test_when_the_scheduler_dies_its_successor_has_to_win_anew() -> None:
    beta = a_leader()

    beta.hears(SchedulerGone())
    orders = beta.scheduler_says(after=0.2)

    assert orders == [Stand(term=2)]


def test_a_scheduler_that_leads_unasked_is_told_to_stand_by() -> None:
    beta = Supervisor(peers=("gamma",))
    beta.hears(Ticked(), after=0.7)
    beta.hears_from("gamma", after=0.5, stance=Stance.LEADING, epoch=9)

    orders = beta.scheduler_says(LeadState.LEADING, epoch=7)

    assert orders == [StandDown(term=0)]

"""Rules C4 and C5: the first claim wins, and what is won is told to the shim until it answers."""

import pytest

from kirby.core.claims.effects import AnyEffect, Arm, Bar, BuildAhead, PostNotStarted
from kirby.core.claims.events import (
    Arming,
    ArmTold,
    AttemptDone,
    BarAnswered,
    ClaimFailed,
    EnvironmentState,
    EnvironmentTold,
    NotStartedAcknowledged,
    NotStartedFailed,
    ScheduleRead,
)
from kirby.core.names import AttemptId, ContextKey
from kirby.core.nouns import Definition, JobKind, NotStartedReason
from kirby.core.records import Phase
from tests.builders.claims import (
    ALPHA,
    BETA,
    PACKAGE,
    a_claim,
    a_runner,
    an_offer,
    attempt,
    only,
)


def refused(code: str, sentence: str = "") -> ArmTold:
    return ArmTold(attempt=attempt(), outcome=Arming.REFUSED, code=code, sentence=sentence)


def barred() -> BarAnswered:
    return BarAnswered(attempt=attempt(), phase=None)


def armed_runs(effects: list[AnyEffect]) -> list[str]:
    return [arm.offer.run for arm in only(Arm, effects)]


def barred_runs(effects: list[AnyEffect]) -> list[AttemptId]:
    return [bar.attempt for bar in only(Bar, effects)]


def test_reading_back_the_own_claim_as_the_first_arms() -> None:
    runner = a_runner()

    effects = runner.wins()

    assert armed_runs(effects) == ["pump/prod@12:00"]


def test_a_second_claim_of_the_same_attempt_starts_nothing() -> None:
    runner = a_runner()
    runner.holds()

    assert runner.reads(runner.own_claim()) == []


def test_the_own_claim_read_back_as_the_second_starts_nothing() -> None:
    runner = a_runner()
    runner.reads(an_offer())
    runner.reads(a_claim(by=BETA))

    effects = runner.reads(runner.own_claim())

    assert armed_runs(effects) == []


def test_a_claim_of_an_earlier_incarnation_of_this_host_starts_nothing() -> None:
    runner = a_runner()
    runner.reads(an_offer())

    effects = runner.reads(a_claim(by=ALPHA, life=runner.life - 1))

    assert armed_runs(effects) == []


def test_a_further_attempt_of_the_same_run_is_a_claim_of_its_own() -> None:
    runner = a_runner()
    runner.holds()
    runner.reads(an_offer(number=2))

    effects = runner.reads(runner.own_claim(number=2))

    assert armed_runs(effects) == ["pump/prod@12:00"]


def test_a_claim_whose_delivery_seemed_to_fail_still_wins_when_it_is_read_back() -> None:
    runner = a_runner()
    runner.reads(an_offer())
    runner.told(ClaimFailed(attempt=attempt()))

    effects = runner.reads(runner.own_claim())

    assert armed_runs(effects) == ["pump/prod@12:00"]


def test_the_arm_is_repeated_until_the_shim_answers() -> None:
    runner = a_runner()
    runner.wins()

    unanswered = runner.at(3.05)
    runner.told(ArmTold(attempt=attempt(), outcome=Arming.NO_ANSWER))
    away = runner.at(4.05)
    runner.told(ArmTold(attempt=attempt(), outcome=Arming.HELD, phase=Phase.PARKED))
    answered = runner.at(10.0)

    assert len(armed_runs(unanswered)) == 3
    assert len(armed_runs(away)) == 1
    assert armed_runs(answered) == []


def test_an_end_told_by_the_shim_answers_the_arm() -> None:
    runner = a_runner()
    runner.wins()

    runner.told(AttemptDone(attempt=attempt()))

    assert armed_runs(runner.at(10.0)) == []
    assert runner.state.holding.free == 2


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("full", NotStartedReason.NO_ROOM),
        ("no_room", NotStartedReason.NO_ROOM),
        ("deadline", NotStartedReason.DEADLINE),
        ("lease", NotStartedReason.REFUSED),
        ("barred", NotStartedReason.REFUSED),
    ],
)
def test_a_refused_arm_is_barred_and_only_then_reported(code: str, why: NotStartedReason) -> None:
    runner = a_runner()
    runner.wins()

    on_refusal = runner.told(refused(code, "the disk is full"))
    on_barred = runner.told(barred())

    assert barred_runs(on_refusal) == [attempt()]
    assert only(PostNotStarted, on_refusal) == []
    [posted] = only(PostNotStarted, on_barred)
    assert (posted.report.why, posted.report.reason) == (why, "the disk is full")


def test_a_bar_is_repeated_until_it_is_answered() -> None:
    runner = a_runner()
    runner.wins()
    runner.told(refused("full"))

    effects = runner.at(2.05)

    assert len(only(Bar, effects)) == 2
    assert only(PostNotStarted, effects) == []


@pytest.mark.parametrize("phase", [Phase.RELEASING, Phase.RUNNING, Phase.ENDED])
def test_what_the_bar_finds_begun_is_left_alone(phase: Phase) -> None:
    runner = a_runner()
    runner.wins()
    runner.told(refused("lease"))

    effects = runner.told(BarAnswered(attempt=attempt(), phase=phase)) + runner.at(10.0)

    assert only(PostNotStarted, effects) == []
    assert only(Bar, effects) == []


def test_an_attempt_whose_deadline_comes_before_an_answer_is_barred() -> None:
    runner = a_runner()
    runner.wins()

    before = runner.at(61.9)
    after = runner.at(62.1)
    report = runner.told(barred())

    assert only(Bar, before) == []
    assert barred_runs(after) == [attempt()]
    assert only(PostNotStarted, report)[0].report.why is NotStartedReason.DEADLINE


def test_a_claim_read_back_after_the_deadline_arms_nothing() -> None:
    runner = a_runner()
    runner.reads(an_offer())
    runner.seconds = 63.0

    effects = runner.reads(runner.own_claim())

    assert armed_runs(effects) == []
    assert barred_runs(effects) == [attempt()]


def test_a_claim_read_back_when_everything_about_it_is_forgotten_is_barred_and_reported() -> None:
    runner = a_runner()
    runner.reads(an_offer())
    runner.at(3600.0)

    on_claim = runner.reads(runner.own_claim())
    on_barred = runner.told(barred())

    assert barred_runs(on_claim) == [attempt()]
    assert len(only(PostNotStarted, on_barred)) == 1


def test_a_run_whose_package_cannot_be_installed_ends_not_started_with_the_reason() -> None:
    runner = a_runner(ready=())
    runner.reads(an_offer())
    runner.told(
        EnvironmentTold(package=PACKAGE, state=EnvironmentState.FAILED, reason="no such package")
    )

    on_claim = runner.reads(runner.own_claim())
    on_barred = runner.told(barred())

    assert armed_runs(on_claim) == []
    [posted] = only(PostNotStarted, on_barred)
    assert posted.report.why is NotStartedReason.INSTALLATION
    assert posted.report.reason == "no such package"


def test_a_report_that_failed_is_written_again_and_an_acknowledged_one_is_not() -> None:
    runner = a_runner()
    runner.wins()
    runner.told(refused("full"))
    runner.told(barred())

    runner.told(NotStartedFailed(attempt=attempt()))
    again = runner.at(1.05)
    runner.told(NotStartedAcknowledged(attempt=attempt()))
    afterwards = runner.at(20.0)

    assert len(only(PostNotStarted, again)) == 1
    assert only(PostNotStarted, afterwards) == []


def test_an_environment_that_is_not_there_after_all_is_asked_for_again() -> None:
    runner = a_runner()
    context = ContextKey("pump/prod")
    definition = Definition(context=context, kind=JobKind.SCHEDULED, package=PACKAGE)
    runner.told(ScheduleRead(context=context, definition=definition))
    runner.wins()

    effects = runner.told(refused("not_found"))

    assert [build.package for build in only(BuildAhead, effects)] == [PACKAGE]


def test_a_refused_attempt_gives_its_slot_back() -> None:
    runner = a_runner(slots=1)
    runner.wins()

    runner.told(refused("full"))

    assert runner.state.holding.free == 1

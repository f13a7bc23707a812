"""Rules L1 and L6: what a heartbeat is made from, what it lists, and the lease that it renews."""

from datetime import timedelta

from kirby.core.claims.effects import AskList, PostHeartbeat, RenewLease, TellIncarnation
from kirby.core.claims.events import (
    Arming,
    ArmTold,
    AttemptDone,
    BarAnswered,
    DaemonsStood,
    EnvironmentState,
    EnvironmentTold,
    HeartbeatAcknowledged,
    HeartbeatFailed,
    InstancesTold,
    InstanceTold,
    NotStartedAcknowledged,
    ShimListed,
    ShimLost,
    Ticked,
)
from kirby.core.names import ContextKey
from kirby.core.records import Heartbeat, Instance, InstanceState, Phase
from tests.builders.claims import (
    BOOT,
    NOON,
    PACKAGE,
    RunnerUnderTest,
    a_runner,
    an_offer,
    attempt,
    held,
    only,
)


def next_heartbeat(runner: RunnerUnderTest) -> Heartbeat:
    """Let time pass until a heartbeat has been written."""
    posted = only(PostHeartbeat, runner.at(runner.seconds + 5.1))
    return posted[-1].heartbeat


def test_a_heartbeat_is_written_every_5_seconds() -> None:
    runner = a_runner()

    effects = runner.at(30.0)

    assert len(only(PostHeartbeat, effects)) == 6


def test_a_heartbeat_lists_what_the_shim_lists() -> None:
    runner = a_runner()
    runner.in_shim = (held("pump/prod@11:00"), held("mixer/prod#alpha"))

    assert next_heartbeat(runner).held == runner.in_shim


def test_without_a_list_of_the_living_shim_no_heartbeat_is_sent() -> None:
    runner = a_runner()

    runner.told(ShimLost())

    assert only(PostHeartbeat, runner.at(30.0)) == []


def test_a_list_of_an_older_question_is_no_basis() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    [question] = only(AskList, runner.told(Ticked()))

    effects = runner.told(ShimListed(number=question.number - 1, held=()))

    assert only(PostHeartbeat, effects) == []


def test_a_list_that_never_comes_is_asked_for_again() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    runner.told(Ticked())

    runner.seconds = 10.0
    effects = runner.told(Ticked())

    assert len(only(AskList, effects)) == 1


def test_what_was_won_and_is_not_armed_is_listed_as_won() -> None:
    runner = a_runner()
    runner.wins()

    listed = next_heartbeat(runner).held

    assert [(each.run, each.phase) for each in listed] == [("pump/prod@12:00", Phase.WON)]


def test_what_was_won_and_armed_while_the_list_was_made_is_listed_all_the_same() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    [question] = only(AskList, runner.told(Ticked()))
    runner.wins()
    runner.told(ArmTold(attempt=attempt(), outcome=Arming.HELD, phase=Phase.PARKED))

    [posted] = only(PostHeartbeat, runner.told(ShimListed(number=question.number, held=())))

    assert [each.run for each in posted.heartbeat.held] == ["pump/prod@12:00"]
    assert runner.state.holding.free == 1


def test_an_attempt_that_is_only_claimed_is_not_listed() -> None:
    runner = a_runner()
    runner.reads(an_offer())

    assert next_heartbeat(runner).held == ()


def test_a_refused_attempt_is_listed_until_its_report_is_acknowledged() -> None:
    runner = a_runner()
    runner.wins()
    runner.told(ArmTold(attempt=attempt(), outcome=Arming.REFUSED, code="full"))
    runner.told(BarAnswered(attempt=attempt(), phase=None))

    before = next_heartbeat(runner).held
    runner.told(NotStartedAcknowledged(attempt=attempt()))
    after = next_heartbeat(runner).held

    assert [each.run for each in before] == ["pump/prod@12:00"]
    assert after == ()


def test_ended_attempts_are_listed_and_take_no_slot() -> None:
    runner = a_runner(slots=1)
    runner.in_shim = (held(phase=Phase.ENDED),)

    heartbeat = next_heartbeat(runner)

    assert heartbeat.held == runner.in_shim
    assert heartbeat.free_slots == 1


def test_daemons_take_no_slot() -> None:
    runner = a_runner(slots=1)
    runner.in_shim = (held("mixer/prod#alpha"),)

    assert next_heartbeat(runner).free_slots == 1


def test_runs_that_were_going_before_this_incarnation_take_slots() -> None:
    runner = a_runner(slots=2)
    runner.in_shim = (held("pump/prod@11:00"),)

    assert next_heartbeat(runner).free_slots == 1


def test_an_acknowledged_heartbeat_renews_the_lease_from_the_moment_it_was_sent() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    [question] = only(AskList, runner.told(Ticked()))
    runner.told(ShimListed(number=question.number, held=()))
    runner.seconds = 7.0

    effects = runner.told(
        HeartbeatAcknowledged(
            number=question.number,
            appended=NOON + timedelta(seconds=7),
            acknowledged_boot=runner.now.boot,
        )
    )

    assert only(RenewLease, effects) == [RenewLease(ends_boot=BOOT + 5.0 + 15.0)]


def test_a_heartbeat_that_failed_renews_nothing_and_another_is_sent() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    [question] = only(AskList, runner.told(Ticked()))
    runner.told(ShimListed(number=question.number, held=()))

    effects = runner.told(HeartbeatFailed(number=question.number)) + runner.at(6.1)

    assert len(only(PostHeartbeat, effects)) == 1


def test_while_a_heartbeat_is_on_its_way_no_other_is_sent() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    [question] = only(AskList, runner.told(Ticked()))
    runner.told(ShimListed(number=question.number, held=()))

    runner.seconds = 11.0
    effects = runner.told(Ticked())

    assert only(AskList, effects) == []


def test_a_change_of_free_slots_is_told_sooner_but_not_more_often_than_each_second() -> None:
    runner = a_runner()
    runner.at(5.5)
    runner.holds()

    too_soon = only(PostHeartbeat, runner.at(5.9))
    soon = only(PostHeartbeat, runner.at(6.7))

    assert too_soon == []
    assert [posted.heartbeat.free_slots for posted in soon] == [1]


def test_an_end_told_while_the_list_was_made_frees_the_slot_for_good() -> None:
    runner = a_runner(slots=1)
    runner.holds()
    runner.seconds = 5.0
    [question] = only(AskList, runner.told(Ticked()))
    runner.told(AttemptDone(attempt=attempt()))

    runner.told(ShimListed(number=question.number, held=(held(),)))

    assert runner.state.holding.free == 1


def test_builds_are_told() -> None:
    runner = a_runner(ready=())
    runner.reads(an_offer())
    runner.told(EnvironmentTold(package=PACKAGE, state=EnvironmentState.FAILED, reason="why"))

    [build] = next_heartbeat(runner).builds

    assert (build.package, build.state.value, build.reason) == (PACKAGE, "failed", "why")


def test_instances_are_told_until_they_are_gone() -> None:
    runner = a_runner()
    instance = Instance(context=ContextKey("mixer/prod"), state=InstanceState.RUNNING)
    runner.told(InstanceTold(instance=instance))

    before = next_heartbeat(runner).instances
    runner.told(InstanceTold(instance=instance, gone=True))
    after = next_heartbeat(runner).instances

    assert before == (instance,)
    assert after == ()


def test_a_heartbeat_says_how_far_the_daemons_offers_are_read_and_what_may_be_here() -> None:
    runner = a_runner()
    mixer = ContextKey("mixer/prod")

    before = next_heartbeat(runner)
    runner.told(DaemonsStood(read=(3, 0), here=(mixer,)))
    after = next_heartbeat(runner)

    assert (before.daemons_read, before.daemons_here) == ((), ())
    assert (after.daemons_read, after.daemons_here) == ((3, 0), (mixer,))


def test_how_daemons_stand_is_told_sooner_than_the_next_heartbeat_is_due() -> None:
    runner = a_runner()
    next_heartbeat(runner)

    runner.told(DaemonsStood(read=(3,), here=()))

    assert only(PostHeartbeat, runner.at(runner.seconds + 1.1))[-1].heartbeat.daemons_read == (3,)


def test_the_list_of_all_instances_puts_right_what_a_lost_word_left() -> None:
    runner = a_runner()
    instance = Instance(context=ContextKey("mixer/prod"), state=InstanceState.RUNNING)
    gone = Instance(context=ContextKey("oven/prod"), state=InstanceState.RUNNING)
    runner.told(InstanceTold(instance=gone))

    runner.told(InstancesTold(instances=(instance,)))

    assert next_heartbeat(runner).instances == (instance,)


def test_the_incarnation_is_told_again_with_each_heartbeat() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    [question] = only(AskList, runner.told(Ticked()))
    runner.told(ShimListed(number=question.number, held=()))

    effects = runner.told(
        HeartbeatAcknowledged(
            number=question.number,
            appended=NOON + timedelta(seconds=5),
            acknowledged_boot=runner.now.boot,
        )
    )

    assert only(TellIncarnation, effects) == [TellIncarnation(incarnation=runner.life)]

"""Rules C1 and L5: how a Runner begins, and when it ends."""

from datetime import timedelta

from kirby.core.claims.effects import EndNow, PostHeartbeat, PostTicket, ReadTopics, SayHello
from kirby.core.claims.events import (
    Arming,
    ArmTold,
    Began,
    DrainRead,
    HeartbeatAcknowledged,
    HelloAnswered,
    ShimListed,
    ShimLost,
    ShimReached,
    Superseded,
    Ticked,
    TicketAcknowledged,
    TicketFailed,
    TopicsReadUp,
)
from kirby.core.names import Host
from tests.builders.claims import (
    NOON,
    RunnerUnderTest,
    a_runner,
    an_offer,
    attempt,
    claimed_runs,
    only,
)


def a_beginner() -> RunnerUnderTest:
    return a_runner(begun=False)


def with_ticket(runner: RunnerUnderTest) -> RunnerUnderTest:
    runner.told(Began())
    runner.told(TicketAcknowledged(incarnation=runner.life, appended=NOON))
    return runner


def test_a_runner_begins_with_its_ticket() -> None:
    runner = a_beginner()

    effects = runner.told(Began())

    [posted] = only(PostTicket, effects)
    assert posted.ticket.host == "alpha"


def test_a_ticket_that_failed_is_written_again() -> None:
    runner = a_beginner()
    runner.told(Began())

    runner.told(TicketFailed())
    effects = runner.at(1.0)

    assert len(only(PostTicket, effects)) == 1


def test_offers_are_read_from_an_hour_before_the_ticket_and_claims_from_earlier() -> None:
    runner = a_beginner()
    runner.told(Began())

    effects = runner.told(TicketAcknowledged(incarnation=runner.life, appended=NOON))

    [reading] = only(ReadTopics, effects)
    assert reading.offers_since <= NOON - timedelta(hours=1)
    assert reading.claims_since == reading.offers_since - timedelta(minutes=10)


def test_hello_is_said_when_both_ticket_and_shim_are_there_whichever_comes_first() -> None:
    shim_first, ticket_first = a_beginner(), with_ticket(a_beginner())

    shim_first.told(ShimReached())
    after_ticket = shim_first.told(TicketAcknowledged(incarnation=shim_first.life, appended=NOON))
    after_shim = ticket_first.told(ShimReached())

    assert only(SayHello, after_ticket) == only(SayHello, after_shim) != []


def test_no_heartbeat_is_sent_before_the_shim_has_answered_the_hello() -> None:
    runner = with_ticket(a_beginner())
    runner.told(ShimReached())

    effects = runner.at(10.0)

    assert only(PostHeartbeat, effects) == []


def test_nothing_is_claimed_before_both_topics_are_read_up() -> None:
    runner = with_ticket(a_beginner())
    runner.told(ShimReached())
    runner.answered(runner.told(HelloAnswered()))

    early = runner.reads(an_offer())
    late = runner.told(TopicsReadUp())

    assert claimed_runs(early) == []
    assert claimed_runs(late) == ["pump/prod@12:00"]


def test_nothing_is_claimed_before_the_first_heartbeat_is_acknowledged() -> None:
    runner = with_ticket(a_beginner())
    runner.told(TopicsReadUp())
    runner.told(ShimReached())
    runner.told(HelloAnswered())
    [heartbeat] = only(PostHeartbeat, runner.told(ShimListed(number=1, held=())))

    early = runner.reads(an_offer())
    late = runner.told(
        HeartbeatAcknowledged(
            number=heartbeat.number, appended=NOON, acknowledged_boot=runner.now.boot
        )
    )

    assert claimed_runs(early) == []
    assert claimed_runs(late) == ["pump/prod@12:00"]


def test_nothing_is_claimed_while_the_shim_is_away() -> None:
    runner = a_runner()

    runner.told(ShimLost())
    away = runner.reads(an_offer())
    runner.told(ShimReached())
    back = runner.answered(runner.told(HelloAnswered()))

    assert claimed_runs(away) == []
    assert claimed_runs(back) == ["pump/prod@12:00"]


def test_nothing_is_claimed_while_the_shim_owes_its_list() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    runner.told(Ticked())  # asks for the list
    runner.seconds = 7.5

    effects = runner.reads(an_offer())

    assert claimed_runs(effects) == []


def test_a_shim_that_came_back_is_greeted_again() -> None:
    runner = a_runner()
    runner.told(ShimLost())

    effects = runner.told(ShimReached())

    assert len(only(SayHello, effects)) == 1


def test_a_host_that_is_drained_claims_nothing() -> None:
    runner = a_runner()

    runner.told(DrainRead(host=Host("alpha"), draining=True))
    drained = runner.reads(an_offer())
    restored = runner.told(DrainRead(host=Host("alpha"), draining=False))

    assert claimed_runs(drained) == []
    assert claimed_runs(restored) == ["pump/prod@12:00"]


def test_a_superseded_runner_ends_at_once_and_does_nothing_more() -> None:
    runner = a_runner()

    effects = runner.told(Superseded())
    afterwards = runner.reads(an_offer())

    assert len(only(EndNow, effects)) == 1
    assert afterwards == []


def test_an_arm_refused_as_superseded_ends_the_runner() -> None:
    runner = a_runner()
    runner.wins()

    effects = runner.told(ArmTold(attempt=attempt(), outcome=Arming.REFUSED, code="superseded"))

    assert len(only(EndNow, effects)) == 1

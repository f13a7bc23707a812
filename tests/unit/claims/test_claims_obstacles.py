"""Whoever asks why a host claims nothing is told."""

import pytest

from kirby.core.claims.effects import AskList
from kirby.core.claims.events import (
    AnyEvent,
    Began,
    DrainRead,
    EnvironmentState,
    EnvironmentTold,
    HostHeard,
    ShimListed,
    ShimLost,
    ShimReached,
    Ticked,
    TicketAcknowledged,
)
from kirby.core.claims.obstacles import obstacles
from tests.builders.claims import (
    BETA,
    NOON,
    PACKAGE,
    RunnerUnderTest,
    a_heartbeat,
    a_runner,
    an_offer,
    only,
)


def told(runner: RunnerUnderTest) -> str:
    return "\n".join(obstacles(runner.state, runner.now.boot))


def test_a_runner_that_claims_has_no_obstacle() -> None:
    runner = a_runner()

    assert obstacles(runner.state, runner.now.boot) == []


@pytest.mark.parametrize(
    ("happened", "obstacle"),
    [
        (0, "the shim does not answer"),
        (1, "Kafka has not acknowledged yet that this Runner began"),
        (2, "it still reads what was offered"),
    ],
)
def test_a_runner_that_begins_says_what_it_still_waits_for(happened: int, obstacle: str) -> None:
    runner = RunnerUnderTest()
    beginning: list[AnyEvent] = [
        ShimReached(),
        TicketAcknowledged(incarnation=runner.life, appended=NOON),
    ]

    runner.told(Began())
    for event in beginning[:happened]:
        runner.told(event)

    assert obstacle in told(runner)
    assert not runner.state.may_claim(runner.now.boot)


def test_a_shim_that_is_gone_is_named() -> None:
    runner = a_runner()

    runner.told(ShimLost())

    assert "the shim does not answer" in told(runner)


def test_a_shim_that_owes_an_answer_is_named() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    runner.told(Ticked())

    runner.seconds = 9.0

    assert "the shim has owed an answer for 4 s" in told(runner)


def test_a_host_that_is_drained_says_so() -> None:
    runner = a_runner()

    runner.told(DrainRead(host=runner.state.me.host, draining=True))

    assert "it is being drained" in told(runner)


def test_without_a_free_slot_it_says_how_many_wait() -> None:
    runner = a_runner(slots=1)
    runner.holds("pump/prod@12:00")

    runner.reads(an_offer("pump/prod@12:10"))
    runner.at(0.1)

    assert told(runner) == "no slot is free: 1 of 1 are taken; 1 attempt waits"


def test_an_environment_that_lacks_is_named_with_the_reason() -> None:
    runner = a_runner(ready=())
    runner.told(HostHeard(heartbeat=a_heartbeat(BETA)))
    runner.reads(an_offer())

    before = told(runner)
    failed = EnvironmentTold(
        package=PACKAGE, state=EnvironmentState.FAILED, reason="the index is down"
    )
    runner.told(failed)

    assert before == f"the environment of {PACKAGE} is being built; 1 attempt waits"
    assert told(runner).startswith(f"no environment for {PACKAGE}: the index is down")


def test_kafka_that_acknowledges_no_heartbeat_is_named() -> None:
    runner = a_runner()
    runner.seconds = 5.0
    [asked] = only(AskList, runner.told(Ticked()))
    runner.told(ShimListed(number=asked.number, held=()))

    runner.seconds = 12.0

    assert told(runner) == "Kafka is silent: a heartbeat has been on its way for 7 s"

"""Rules C2 and C3: which offers a Runner claims, and when."""

import pytest

from kirby.core.claims.effects import BuildAhead, PostClaim
from kirby.core.claims.events import (
    ClaimAcknowledged,
    ClaimFailed,
    EnvironmentState,
    EnvironmentTold,
    HostHeard,
    ScheduleRead,
)
from kirby.core.names import ContextKey, Host
from kirby.core.nouns import Definition, JobKind
from kirby.core.records import Build, BuildState
from tests.builders.claims import (
    ALPHA,
    BETA,
    GAMMA,
    PACKAGE,
    RunnerUnderTest,
    a_claim,
    a_heartbeat,
    a_runner,
    an_offer,
    attempt,
    claimed_runs,
    only,
)

DELTA = Host("delta")


def test_the_host_that_an_offer_names_first_claims_at_once() -> None:
    runner = a_runner(host=ALPHA)

    effects = runner.reads(an_offer(hosts=(ALPHA, BETA)))

    [posted] = only(PostClaim, effects)
    assert (posted.claim.host, posted.claim.incarnation) == (ALPHA, runner.life)


@pytest.mark.parametrize(("host", "after"), [(BETA, 0.3), (GAMMA, 0.6), (DELTA, 0.9)])
def test_each_further_host_claims_300_ms_later_and_those_not_named_last(
    host: Host, after: float
) -> None:
    runner = a_runner(host=host)
    runner.reads(an_offer(hosts=(ALPHA, BETA, GAMMA)))

    before = runner.at(after - 0.01)
    then = runner.at(after + 0.01)

    assert claimed_runs(before) == []
    assert claimed_runs(then) == ["pump/prod@12:00"]


def test_a_further_host_that_has_seen_a_claim_by_then_does_not_claim() -> None:
    runner = a_runner(host=BETA)
    runner.reads(an_offer(hosts=(ALPHA, BETA)))

    runner.reads(a_claim(by=ALPHA))

    assert claimed_runs(runner.at(10.0)) == []


def test_an_offer_that_is_read_after_its_claim_is_not_claimed() -> None:
    runner = a_runner()
    runner.reads(a_claim(by=BETA))

    effects = runner.reads(an_offer())

    assert claimed_runs(effects) == []


def test_the_same_offer_read_again_is_claimed_once() -> None:
    runner = a_runner()
    runner.reads(an_offer())

    assert claimed_runs(runner.reads(an_offer())) == []


def test_an_offer_past_its_deadline_is_not_claimed() -> None:
    runner = a_runner()
    runner.seconds = 62.1

    assert claimed_runs(runner.reads(an_offer(due=2.0, window=60.0))) == []


def test_what_waits_past_its_deadline_is_forgotten() -> None:
    runner = a_runner(slots=1)
    runner.holds("busy/prod@12:00")
    runner.reads(an_offer(due=2.0, window=60.0))

    runner.at(63.0)
    effects = runner.ends("busy/prod@12:00")

    assert claimed_runs(effects) == []
    assert len(runner.state.waiting.waits) == 0


def test_no_more_is_claimed_than_there_are_slots() -> None:
    runner = a_runner(slots=2)

    effects = [
        effect
        for run in ("a/prod@12:00", "b/prod@12:00", "c/prod@12:00")
        for effect in runner.reads(an_offer(run))
    ]

    assert claimed_runs(effects) == ["a/prod@12:00", "b/prod@12:00"]


def test_a_claim_that_another_host_won_frees_its_slot() -> None:
    runner = a_runner(slots=1)
    runner.reads(an_offer("a/prod@12:00"))
    runner.reads(an_offer("b/prod@12:00"))

    effects = runner.reads(a_claim("a/prod@12:00", by=BETA))

    assert claimed_runs(effects) == ["b/prod@12:00"]


def test_a_freed_slot_takes_the_earliest_due_that_names_this_host_first() -> None:
    runner = a_runner(slots=1)
    runner.holds("busy/prod@12:00")
    runner.reads(an_offer("late/prod@12:00", due=9.0))
    runner.reads(an_offer("early/prod@12:00", due=3.0))
    runner.reads(an_offer("earliest/prod@12:00", due=1.0, hosts=(BETA, ALPHA)))
    runner.at(1.0)

    effects = runner.ends("busy/prod@12:00")

    assert claimed_runs(effects) == ["early/prod@12:00"]


def test_a_freed_slot_takes_what_names_another_first_only_300_ms_for_each_place_after() -> None:
    runner = a_runner(slots=1)
    runner.holds("busy/prod@12:00")
    runner.reads(an_offer("other/prod@12:00", hosts=(BETA, ALPHA)))
    runner.at(2.0)

    at_once = runner.ends("busy/prod@12:00")
    shortly_before = runner.at(2.29)
    then = runner.at(2.31)

    assert claimed_runs(at_once + shortly_before) == []
    assert claimed_runs(then) == ["other/prod@12:00"]


def test_a_claim_that_is_not_acknowledged_in_3_s_holds_its_slot_no_longer() -> None:
    runner = a_runner(slots=1)
    runner.reads(an_offer("a/prod@12:00"))
    runner.reads(an_offer("b/prod@12:00"))

    before = runner.at(2.9)
    after = runner.at(3.1)

    assert claimed_runs(before) == []
    assert claimed_runs(after) == ["b/prod@12:00"]


def test_a_claim_that_is_acknowledged_holds_its_slot_until_it_is_decided() -> None:
    runner = a_runner(slots=1)
    runner.reads(an_offer("a/prod@12:00"))
    runner.told(ClaimAcknowledged(attempt=attempt("a/prod@12:00")))
    runner.reads(an_offer("b/prod@12:00"))

    assert claimed_runs(runner.at(20.0)) == []


def test_a_claim_that_failed_is_tried_again() -> None:
    runner = a_runner()
    runner.reads(an_offer())
    runner.told(ClaimFailed(attempt=attempt()))

    assert claimed_runs(runner.at(1.1)) == ["pump/prod@12:00"]


def test_an_offer_waits_for_its_environment_which_is_asked_for() -> None:
    runner = a_runner(ready=())

    asked = runner.reads(an_offer())
    ready = runner.told(EnvironmentTold(package=PACKAGE, state=EnvironmentState.READY))

    assert [build.package for build in only(BuildAhead, asked)] == [PACKAGE]
    assert claimed_runs(asked) == []
    assert claimed_runs(ready) == ["pump/prod@12:00"]


def test_an_environment_is_asked_for_again_until_somebody_answers() -> None:
    runner = a_runner(ready=())
    runner.reads(an_offer())

    again = runner.at(5.5)
    runner.told(EnvironmentTold(package=PACKAGE, state=EnvironmentState.READY))
    afterwards = runner.at(30.0)

    assert len(only(BuildAhead, again)) == 1
    assert only(BuildAhead, afterwards) == []


def test_what_the_mirror_names_is_built_ahead() -> None:
    runner = a_runner(ready=())
    definition = Definition(
        context=ContextKey("pump/prod"), kind=JobKind.SCHEDULED, package=PACKAGE
    )

    effects = runner.told(ScheduleRead(context=definition.context, definition=definition))

    assert [build.package for build in only(BuildAhead, effects)] == [PACKAGE]


def test_what_the_mirror_no_longer_names_is_not_asked_for_again() -> None:
    runner = a_runner(ready=())
    context = ContextKey("pump/prod")
    definition = Definition(context=context, kind=JobKind.SCHEDULED, package=PACKAGE)
    runner.told(ScheduleRead(context=context, definition=definition))

    runner.told(ScheduleRead(context=context, definition=None))

    assert only(BuildAhead, runner.at(30.0)) == []


def a_runner_whose_build_failed(peers: dict[Host, bool]) -> RunnerUnderTest:
    """Return a Runner that failed to build, with peers of which some failed as well."""
    runner = a_runner(ready=())
    for peer, failed in peers.items():
        builds = (Build(package=PACKAGE, state=BuildState.FAILED),) if failed else ()
        runner.told(HostHeard(heartbeat=a_heartbeat(peer, builds=builds)))
    runner.reads(an_offer(due=2.0, window=30.0))
    return runner


def test_when_every_live_host_failed_to_build_a_runner_claims_at_once() -> None:
    runner = a_runner_whose_build_failed({BETA: True, GAMMA: True})

    effects = runner.told(
        EnvironmentTold(package=PACKAGE, state=EnvironmentState.FAILED, reason="no such package")
    )

    assert claimed_runs(effects) == ["pump/prod@12:00"]


def test_when_another_host_may_still_build_a_failed_one_claims_5_s_before_the_deadline() -> None:
    runner = a_runner_whose_build_failed({BETA: False})
    runner.told(EnvironmentTold(package=PACKAGE, state=EnvironmentState.FAILED, reason="why"))

    runner.told(HostHeard(heartbeat=a_heartbeat(BETA)))
    while runner.seconds < 26.0:  # beta goes on living
        assert claimed_runs(runner.at(runner.seconds + 5.0 if runner.seconds < 25 else 26.9)) == []
        runner.told(HostHeard(heartbeat=a_heartbeat(BETA)))

    assert claimed_runs(runner.at(27.1)) == ["pump/prod@12:00"]


def test_a_claim_to_refuse_needs_no_slot() -> None:
    runner = a_runner(slots=1)
    runner.holds("busy/prod@12:00")
    runner.reads(an_offer(package="broken==1.0"))

    effects = runner.told(
        EnvironmentTold(package="broken==1.0", state=EnvironmentState.FAILED, reason="why")
    )

    assert claimed_runs(effects) == ["pump/prod@12:00"]


def test_a_build_that_failed_is_asked_for_anew_when_its_context_changes() -> None:
    runner = a_runner(ready=())
    context = ContextKey("pump/prod")
    first = Definition(context=context, kind=JobKind.SCHEDULED, package=PACKAGE, revision=1)
    second = Definition(context=context, kind=JobKind.SCHEDULED, package=PACKAGE, revision=2)
    runner.told(ScheduleRead(context=context, definition=first))
    runner.told(EnvironmentTold(package=PACKAGE, state=EnvironmentState.FAILED, reason="why"))

    effects = runner.told(ScheduleRead(context=context, definition=second))

    assert [build.revision for build in only(BuildAhead, effects)] == [2]

"""How a fire ends, and when it is tried again (rules C6, C7, E1 to E3)."""

from datetime import timedelta
from typing import Any

from kirby.core.nouns import LeaderReason, Lost, RunEnd
from kirby.core.records import Cursor, Ended, LeaderClaim, Offer, RunRequest, StopRequest
from tests.builders.leader import World, a_definition, at, exited, not_started, of_kind, released

RUN = "pump/prod@2026-03-02T12:00:00Z"


def a_running_world(**policies: Any) -> World:
    world = World(a_definition(**policies), start=-30)
    world.decides(-1)
    world.claims(RUN)
    world.decides(0)
    return world


def ends(world: World, seconds: float) -> list[tuple[str, str]]:
    return [(end.end.value, end.reason) for end in of_kind(Ended, world.decides(seconds))]


def test_a_success_ends_the_fire_and_frees_the_cursor_of_it():
    world = a_running_world()

    world.tells(exited(RUN))
    records = world.decides(5)

    assert [end.end for end in of_kind(Ended, records)] == [RunEnd.SUCCEEDED]
    assert of_kind(Cursor, records)[0].open == ()


def test_a_failure_without_attempts_left_ends_the_fire():
    world = a_running_world()

    world.tells(exited(RUN, "failed", reason="exit status 3"))

    assert ends(world, 5) == [("failed", "exit status 3")]


def test_a_failure_with_attempts_left_is_offered_again_after_its_back_off():
    world = a_running_world(attempts=2)
    world.tells(exited(RUN, "failed", reason="exit status 3"))

    at_once = world.decides(1)
    later = world.decides(12)

    assert of_kind(Offer, at_once) == of_kind(Ended, at_once) == []
    offers = of_kind(Offer, later)
    assert [offer.attempt for offer in offers] == [2]
    assert at(1) + timedelta(seconds=8) <= offers[0].not_before <= at(1) + timedelta(seconds=12)


def test_the_back_off_of_a_run_is_the_same_for_every_leader():
    first, second = a_running_world(attempts=2), a_running_world(attempts=2)
    for world in (first, second):
        world.tells(exited(RUN, "failed"))
        world.decides(1)

    waits = [
        world.ledger.books["pump/prod"].fires[RUN].fire.not_before for world in (first, second)
    ]

    assert waits[0] == waits[1]


def test_the_second_failure_of_two_attempts_ends_the_fire():
    world = a_running_world(attempts=2)
    world.tells(exited(RUN, "failed", reason="exit status 3"))
    world.decides(1)
    world.decides(12)
    world.claims(RUN, attempt=2)

    world.tells(exited(RUN, "failed", attempt=2, reason="exit status 4"))

    assert ends(world, 15) == [("failed", "exit status 4")]


def test_a_late_report_of_an_earlier_attempt_changes_nothing():
    world = a_running_world(attempts=2)
    world.tells(exited(RUN, "failed"))
    world.decides(1)
    world.decides(12)

    world.tells(exited(RUN, "succeeded", attempt=1))

    assert ends(world, 13) == []


def test_an_attempt_that_was_not_started_spends_none_and_keeps_its_deadline():
    world = a_running_world(attempts=1)
    deadline = world.ledger.books["pump/prod"].fires[RUN].fire.deadline
    world.tells(not_started(RUN, "no room", reason="the disk of alpha is full"))

    world.decides(0.5)
    offers = of_kind(Offer, world.decides(1.6))

    assert [(offer.attempt, offer.deadline) for offer in offers] == [(2, deadline)]


def test_the_host_that_refused_is_named_last():
    world = World(a_definition(), start=-30, hosts="alpha beta")
    first = of_kind(Offer, world.decides(-1))[0].hosts[0]
    world.claims(RUN, host=first)
    world.tells(not_started(RUN, "no room", host=first))

    world.decides(0.5)
    again = of_kind(Offer, world.decides(1.6))[0]

    assert again.hosts[-1] == first


def test_what_a_copied_machine_tells_of_anothers_attempt_does_not_count():
    world = a_running_world()
    world.tells(not_started(RUN, "interrupted", host="beta", reason="the host was restarted"))
    world.tells(exited(RUN, "lost", host="beta", reason="the host was restarted"))

    told = of_kind(Offer, world.decides(1.6)), ends(world, 1.7)
    world.tells(exited(RUN))

    assert told == ([], [])
    assert [end for end, _ in ends(world, 2)] == ["succeeded"]


def test_what_a_copied_machine_told_before_the_claim_was_read_does_not_count():
    world = World(a_definition(), start=-30)
    world.decides(-1)
    world.tells(exited(RUN, "lost", host="beta", reason="the host was restarted"))

    world.claims(RUN)

    assert ends(world, 1) == []


def test_what_is_refused_until_the_deadline_is_missed():
    world = a_running_world()
    world.tells(not_started(RUN, "no room", reason="the disk of alpha is full"))

    assert ends(world, 31) == [("missed", "the disk of alpha is full")]


def test_a_package_that_cannot_be_installed_fails_the_fire():
    world = a_running_world(attempts=5)
    world.tells(not_started(RUN, "cannot be installed", reason="no such package"))

    assert ends(world, 1) == [("failed", "no such package")]


def test_nobody_took_it_before_its_deadline_so_the_leader_claims_it_and_reads_that_back():
    world = World(a_definition(), start=-30)
    world.decides(-1)

    claims = of_kind(LeaderClaim, world.decides(31.1))
    before = of_kind(Ended, world.decides(31.2))
    world.reads_own(claims[0])
    after = of_kind(Ended, world.decides(31.3))

    assert [claim.reason for claim in claims] == [LeaderReason.MISSED]
    assert before == []
    assert [end.end for end in after] == [RunEnd.MISSED]


def test_a_claim_of_a_host_before_the_leaders_own_keeps_the_fire_open():
    world = World(a_definition(), start=-30)
    world.decides(-1)
    claim = of_kind(LeaderClaim, world.decides(31.1))[0]

    world.claims(RUN)
    world.reads_own(claim)

    assert ends(world, 31.3) == []


def test_a_stop_of_a_running_attempt_is_a_claim_and_ends_with_what_the_holder_says():
    world = a_running_world()
    world.ledger.read_request(
        0, 4, StopRequest(context="pump/prod", run=RUN, asked_by="anna", at=at(1))
    )

    claims = of_kind(LeaderClaim, world.decides(1))
    before = ends(world, 2)
    world.tells(exited(RUN, "stopped", reason="stopped by anna"))
    after = ends(world, 3)

    assert [(claim.reason, claim.asked_by) for claim in claims] == [(LeaderReason.STOPPED, "anna")]
    assert before == []
    assert after == [("stopped", "stopped by anna")]


def test_a_stop_is_asked_for_again_while_the_heartbeat_lists_the_attempt():
    world = a_running_world()
    world.hears("alpha", RUN)
    world.ledger.read_request(
        0, 4, StopRequest(context="pump/prod", run=RUN, asked_by="anna", at=at(1))
    )
    world.decides(1)

    soon = of_kind(LeaderClaim, world.decides(3))
    later = of_kind(LeaderClaim, world.decides(6.5))

    assert (len(soon), len(later)) == (0, 1)


def test_a_stop_of_a_run_that_waits_for_its_back_off_ends_it_at_once():
    world = a_running_world(attempts=3)
    world.tells(exited(RUN, "failed"))
    world.decides(1)
    world.ledger.read_request(
        0, 4, StopRequest(context="pump/prod", run=RUN, asked_by="anna", at=at(2))
    )

    assert ends(world, 2) == [("stopped", "stopped by anna")]


def test_a_stopped_run_that_succeeded_all_the_same_has_succeeded():
    world = a_running_world()
    world.ledger.read_request(
        0, 4, StopRequest(context="pump/prod", run=RUN, asked_by="anna", at=at(1))
    )
    world.decides(1)

    world.tells(exited(RUN, "succeeded"))

    assert [end for end, _ in ends(world, 2)] == ["succeeded"]


def test_a_run_by_hand_is_offered_at_once_and_only_once():
    world = World(a_definition(cron="0 0 1 1 *"), start=-30)
    run = "pump/prod@2026-03-02T12:00:01Z~k3x9"
    request = RunRequest(context="pump/prod", run=run, asked_by="anna", at=at(1))
    world.ledger.read_request(0, 4, request)

    first = of_kind(Offer, world.decides(1))
    world.ledger.read_request(0, 5, request)
    doubled = of_kind(Offer, world.decides(2))

    assert [(offer.run, offer.not_before) for offer in first] == [(run, at(1))]
    assert doubled == []


def a_request(context="pump/prod", revision=0):
    run = f"{context}@2026-03-02T12:00:01Z~k3x9"
    return RunRequest(context=context, run=run, asked_by="anna", at=at(1), revision=revision)


def test_a_run_that_is_asked_for_before_the_leader_knows_its_context_waits_for_the_schedule():
    world = World()
    world.ledger.revision = 3
    world.ledger.read_request(0, 4, a_request(revision=4))

    before = world.decides(1)
    world.ledger.define(a_definition(cron="0 0 1 1 *"), at(2))
    world.ledger.revision = 4
    after = world.decides(2)

    assert of_kind(Ended, before) == of_kind(Cursor, before) == []
    assert [offer.not_before for offer in of_kind(Offer, after)] == [at(2)]


def test_a_run_that_is_asked_for_after_a_change_is_of_the_changed_context():
    world = World(a_definition(cron="0 0 1 1 *", package="pump==1.0"), start=-30)
    world.ledger.read_request(0, 4, a_request(revision=2))

    world.ledger.define(a_definition(cron="0 0 1 1 *", package="pump==1.1"), at(1))
    world.ledger.revision = 2
    offers = of_kind(Offer, world.decides(1))

    assert [offer.plan.package for offer in offers] == ["pump==1.1"]


def test_a_schedule_that_never_comes_holds_up_a_run_for_some_seconds_only():
    world = World(a_definition(cron="0 0 1 1 *"), start=-30)
    world.ledger.read_request(0, 4, a_request(revision=9))

    early, late = world.decides(1), world.decides(6.5)

    assert of_kind(Offer, early) == []
    assert len(of_kind(Offer, late)) == 1


def test_what_is_asked_for_behind_a_run_that_waits_is_not_consumed_before_it():
    world = World(a_definition("tap/prod", cron="0 0 1 1 *"), start=-30)
    world.ledger.read_request(0, 4, a_request(revision=9))
    world.ledger.read_request(0, 5, a_request("tap/prod"))
    world.ledger.read_request(1, 7, a_request("tap/prod"))

    cursors = of_kind(Cursor, world.decides(1))

    assert [cursor.requests for cursor in cursors] == [(0, 8)]


def test_a_request_is_consumed_in_the_transaction_that_answers_it():
    world = World(a_definition(cron="0 0 1 1 *"), start=-30)
    run = "pump/prod@2026-03-02T12:00:01Z~k3x9"
    world.ledger.read_request(2, 4, RunRequest(context="pump/prod", run=run, asked_by="", at=at(1)))

    cursors = of_kind(Cursor, world.decides(1))

    assert cursors[0].requests == (0, 0, 5)


def test_a_request_at_an_offset_that_was_consumed_already_is_passed_over():
    world = World(a_definition(cron="0 0 1 1 *"), start=-30)
    world.ledger.consumed[2] = 5
    run = "pump/prod@2026-03-02T12:00:01Z~k3x9"

    world.ledger.read_request(2, 4, RunRequest(context="pump/prod", run=run, asked_by="", at=at(1)))

    assert of_kind(Offer, world.decides(1)) == []


def test_a_disabled_context_has_its_waiting_offer_withdrawn_but_not_its_running_run():
    waiting, running = World(a_definition(), start=-30), a_running_world()
    waiting.decides(-1)
    running.tells(released(RUN))

    for world in (waiting, running):
        world.ledger.undefine("pump/prod", LeaderReason.DISABLED)
    withdrawn = of_kind(LeaderClaim, waiting.decides(-0.5))
    left_alone = of_kind(LeaderClaim, running.decides(1))

    assert [claim.reason for claim in withdrawn] == [LeaderReason.DISABLED]
    assert left_alone == []


def test_a_run_of_a_lost_host_is_lost_and_not_retried_by_default():
    world = World(a_definition(attempts=2), start=-30, hosts="alpha beta")
    world.decides(-1)
    world.claims(RUN, host="beta")

    world.passes(21, heard="alpha")

    assert ends(world, 21) == [("lost", "host beta was not heard for 20 s")]


def test_a_run_of_a_lost_host_is_retried_where_the_policy_says_so_and_attempts_are_left():
    world = World(a_definition(attempts=2, lost=Lost.RETRY), start=-30, hosts="alpha beta")
    world.decides(-1)
    world.claims(RUN, host="beta")
    world.passes(21, heard="alpha")
    world.decides(21)

    offers = of_kind(Offer, world.decides(32))

    assert [offer.attempt for offer in offers if offer.run == RUN] == [2]


def test_a_successor_knows_a_run_by_hand_that_has_ended_so_a_doubled_request_starts_nothing():
    world = World(a_definition(cron="0 0 1 1 *"), start=-30)
    run = "pump/prod@2026-03-02T12:00:01Z~k3x9"
    request = RunRequest(context="pump/prod", run=run, asked_by="anna", at=at(1))
    world.ledger.read_request(0, 4, request)
    world.decides(1)
    world.claims(run)
    world.tells(exited(run))
    [cursor] = of_kind(Cursor, world.decides(2))

    successor = World(start=2)
    successor.ledger.restore_cursor(cursor)
    successor.ledger.read_request(0, 5, request)

    assert of_kind(Offer, successor.decides(3)) == []


def test_a_fire_that_waited_for_its_next_attempt_when_it_was_disabled_tells_of_the_last():
    world = a_running_world(attempts=2)
    world.tells(exited(RUN, "failed", reason="exit status 3"))
    world.decides(2)

    world.ledger.undefine("pump/prod", LeaderReason.DISABLED)

    assert ends(world, 3) == [
        ("skipped", "the context is disabled; last attempt: exit status 3"),
    ]

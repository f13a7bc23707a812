"""What the leader offers, and when (rules O1 to O5)."""

from datetime import timedelta

from kirby.core.nouns import CronLine, Overlap, RunEnd
from kirby.core.records import Cursor, Ended, Offer, Offered
from tests.builders.leader import World, a_definition, at, exited, of_kind

NOON_RUN = "pump/prod@2026-03-02T12:00:00Z"


def test_a_fire_is_offered_two_seconds_before_it_is_due():
    world = World(a_definition(), start=-30)

    early = world.decides(-2.1)
    on_time = world.decides(-1.9)

    assert of_kind(Offer, early) == []
    assert [offer.run for offer in of_kind(Offer, on_time)] == [NOON_RUN]


def test_offer_step_and_cursor_stand_in_one_transaction():
    world = World(a_definition(), start=-30)

    records = world.decides(-1)

    assert len(of_kind(Offer, records)) == 1
    assert len(of_kind(Offered, records)) == 1
    assert of_kind(Cursor, records)[0].considered == at(0)


def test_a_fire_is_offered_once_however_often_it_is_looked_at():
    world = World(a_definition(), start=-30)

    first, second = world.decides(-1), world.decides(-0.5)

    assert len(of_kind(Offer, first)) == 1
    assert of_kind(Offer, second) == []


def test_two_schedules_that_are_due_at_one_instant_share_one_run():
    definition = a_definition(
        schedules=(CronLine(cron="0 12 * * *"), CronLine(cron="0 13 * * *", zone="Europe/Paris"))
    )
    world = World(definition, start=-30)

    offers = of_kind(Offer, world.decides(-1))

    assert [offer.run for offer in offers] == [NOON_RUN]


def test_the_fencing_token_of_a_context_rises_with_every_offer():
    world = World(a_definition(cron="*/10 * * * * *"), start=-30)

    offers = [*of_kind(Offer, world.decides(-20)), *of_kind(Offer, world.decides(-10))]
    offers += of_kind(Offer, world.decides(0))

    tokens = [offer.token for offer in offers]
    assert tokens == sorted(set(tokens))


def test_a_new_context_starts_at_now_and_not_in_the_past():
    world = World(a_definition(), start=30)

    records = world.decides(31)

    assert of_kind(Offer, records) == []
    assert of_kind(Ended, records) == []


def test_the_default_window_is_half_the_way_to_the_next_fire_between_30_s_and_5_min():
    world = World(
        a_definition("often/prod", "* * * * *"), a_definition("seldom/prod", "0 * * * *"), start=-30
    )

    offers = {offer.context: offer for offer in of_kind(Offer, world.decides(-1))}

    assert offers["often/prod"].deadline == at(30)
    assert offers["seldom/prod"].deadline == at(300)


def test_hosts_are_named_by_their_free_slots_and_each_slot_is_spent_once():
    world = World(
        a_definition("a/prod"), a_definition("b/prod"), a_definition("c/prod"), start=-30, hosts=""
    )
    world.hears("alpha", free=1)
    world.hears("beta", free=2)

    offers = of_kind(Offer, world.decides(-1))

    assert [offer.hosts[0] for offer in offers] == ["beta", "alpha", "beta"]
    assert all(set(offer.hosts) == {"alpha", "beta"} for offer in offers)


def test_a_context_that_forbids_overlap_waits_for_the_due_instant_and_is_then_skipped():
    world = World(a_definition(cron="*/10 * * * * *", overlap=Overlap.FORBID), start=-15)
    world.decides(-12)  # the fire of 11:59:50

    waiting = world.decides(-1)
    skipped = world.decides(0.1)

    assert of_kind(Offer, waiting) == []
    ends = of_kind(Ended, skipped)
    assert [(end.run, end.end) for end in ends] == [(NOON_RUN, RunEnd.SKIPPED)]
    assert ends[0].reason == "the run of 11:59:50 UTC was still on"


def test_a_context_that_forbids_overlap_is_offered_when_the_run_before_ends_in_time():
    world = World(a_definition(cron="*/10 * * * * *", overlap=Overlap.FORBID), start=-15)
    world.decides(-12)
    world.decides(-1)
    world.claims("pump/prod@2026-03-02T11:59:50Z")
    world.tells(exited("pump/prod@2026-03-02T11:59:50Z"))

    records = world.decides(-0.5)

    assert [offer.run for offer in of_kind(Offer, records)] == [NOON_RUN]


def test_a_context_that_allows_overlap_is_offered_while_a_run_is_on():
    world = World(a_definition(cron="*/10 * * * * *"), start=-15)
    world.decides(-12)

    records = world.decides(-1)

    assert [offer.run for offer in of_kind(Offer, records)] == [NOON_RUN]


def test_a_start_window_of_the_context_replaces_the_default():
    world = World(a_definition(start_window=timedelta(seconds=7)), start=-30)

    offers = of_kind(Offer, world.decides(-1))

    assert offers[0].deadline == at(7)

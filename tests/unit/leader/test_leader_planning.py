"""What is missed, suspended or caught up, and what an edit of the schedule does (5.1, 5.8)."""

from datetime import timedelta
from typing import Any

from kirby.core.nouns import CatchUp, LeaderReason, RunEnd, Suspension
from kirby.core.records import Cursor, Ended, Offer, Stretch
from tests.builders.leader import World, a_definition, at, of_kind

HOUR = 3600


def a_world_that_slept_an_hour(**policies: Any) -> World:
    return World(a_definition(cron="*/10 * * * *", **policies), start=1)


def told(world: World, seconds: float) -> list[tuple[str, int]]:
    return [(each.end.value, each.count) for each in of_kind(Stretch, world.decides(seconds))]


def test_after_an_outage_the_latest_fire_is_caught_up_and_the_rest_is_one_missed_stretch():
    world = a_world_that_slept_an_hour()

    records = world.decides(HOUR - 60)  # 12:59; five were missed

    assert [(each.count, each.first, each.last) for each in of_kind(Stretch, records)] == [
        (4, at(600), at(2400))
    ]
    assert [offer.due for offer in of_kind(Offer, records)] == [at(3000)]


def test_a_caught_up_run_may_start_from_now_on_for_five_minutes():
    world = a_world_that_slept_an_hour()

    offer = of_kind(Offer, world.decides(HOUR - 60))[0]

    assert (offer.not_before, offer.deadline) == (at(HOUR - 60), at(HOUR + 240))


def test_catch_up_none_misses_them_all():
    world = a_world_that_slept_an_hour(catch_up=CatchUp.NONE)

    records = world.decides(HOUR - 60)

    assert [each.count for each in of_kind(Stretch, records)] == [5]
    assert of_kind(Offer, records) == []


def test_catch_up_all_offers_each():
    world = a_world_that_slept_an_hour(catch_up=CatchUp.ALL)

    records = world.decides(HOUR - 60)

    assert [offer.due for offer in of_kind(Offer, records)] == [at(600 * n) for n in range(1, 6)]
    assert of_kind(Stretch, records) == []


def test_catch_up_all_stops_at_a_hundred_and_records_the_rest():
    world = World(a_definition(cron="* * * * *", catch_up=CatchUp.ALL), start=1)

    records = world.decides(5 * HOUR + 50)

    assert len(of_kind(Offer, records)) == 100
    assert [each.count for each in of_kind(Stretch, records)] == [300 - 100]


def test_what_lies_within_its_start_window_is_no_outage():
    world = World(a_definition(cron="*/10 * * * * *", catch_up=CatchUp.NONE), start=1)

    records = world.decides(25)  # 12:00:10 and 12:00:20 are late, but within 30 s

    assert [offer.due for offer in of_kind(Offer, records)] == [at(10), at(20)]


def test_the_latest_is_not_caught_up_when_a_later_fire_is_on_time():
    world = World(a_definition(cron="* * * * *"), start=1)

    records = world.decides(HOUR + 1)

    assert [offer.due for offer in of_kind(Offer, records)] == [at(HOUR)]
    assert sum(each.count for each in of_kind(Stretch, records)) == 59


def test_a_suspended_stretch_is_recorded_each_minute_and_at_its_end():
    suspension = Suspension(start=at(0), end=at(95), reason="the shop is closed")
    world = World(a_definition(cron="*/10 * * * * *", suspensions=(suspension,)), start=-5)

    first = told(world, 30)
    after_a_minute = told(world, 61)
    at_its_end = told(world, 95)

    assert first == []
    assert after_a_minute == [("skipped", 7)]
    assert at_its_end == [("skipped", 3)]


def test_fires_after_a_suspension_are_offered():
    suspension = Suspension(start=at(0), end=at(60))
    world = World(a_definition(suspensions=(suspension,)), start=-5)

    records = world.decides(58.5)

    assert [offer.due for offer in of_kind(Offer, records)] == [at(60)]


def test_a_fire_after_a_short_suspension_is_not_late_though_others_were_skipped_before_it():
    suspension = Suspension(start=at(0), end=at(18))
    world = World(a_definition(cron="*/10 * * * * *", suspensions=(suspension,)), start=-5)

    skipped = [told(world, second) for second in (0, 10)]
    records = world.decides(18.5)

    assert skipped == [[], [("skipped", 2)]]
    assert [offer.due for offer in of_kind(Offer, records)] == [at(20)]


def test_a_suspension_that_comes_late_withdraws_what_was_offered():
    world = World(a_definition(), start=-5)
    world.decides(-1)
    suspended = a_definition(suspensions=(Suspension(start=at(-1), end=at(60)),))

    world.ledger.define(suspended, at(-0.5))
    reasons = [
        record.reason
        for record in world.decides(-0.5)
        if hasattr(record, "epoch") and type(record).__name__ == "LeaderClaim"
    ]

    assert reasons == [LeaderReason.SUSPENDED]


def test_an_edit_decides_what_was_due_by_the_old_schedule_and_goes_on_by_the_new_one():
    world = World(a_definition(cron="*/10 * * * *"), start=-5)
    world.ledger.define(a_definition(cron="0 0 * * *", revision=2), at(700))

    records = world.decides(700)  # nobody looked since 11:59:55

    assert [offer.due for offer in of_kind(Offer, records)] == [at(600)]
    assert of_kind(Cursor, records)[0].considered == at(700)


def test_what_was_disabled_while_nobody_led_has_no_fires_then_under_the_old_definition_either():
    world = World(a_definition(cron="*/5 * * * * *", catch_up=CatchUp.ALL), start=-1)
    absence = Suspension(start=at(6), end=at(17))
    world.ledger.define(a_definition(cron="*/5 * * * * *", absences=(absence,)), at(22))

    offers = of_kind(Offer, world.decides(22))

    assert at(5) in [offer.due for offer in offers]
    assert not {at(10), at(15)} & {offer.due for offer in offers}


def test_a_disabled_context_records_its_suspended_fires_before_it_goes():
    suspension = Suspension(start=at(0), end=at(HOUR))
    world = World(a_definition(cron="*/10 * * * * *", suspensions=(suspension,)), start=-5)

    world.ledger.undefine("pump/prod", LeaderReason.DISABLED)

    assert told(world, 25) == [("skipped", 3)]


def test_the_instant_considered_never_goes_back_though_the_clock_does():
    world = World(a_definition(cron="*/10 * * * * *"), start=-5)
    world.decides(8.5)

    world.ledger.mark_all()
    again = world.decides(-3)

    assert of_kind(Offer, again) == []
    assert world.ledger.books["pump/prod"].considered == at(10)


def test_a_context_that_was_disabled_and_comes_back_starts_at_now():
    world = World(a_definition(), start=-5)
    world.ledger.undefine("pump/prod", LeaderReason.DISABLED)
    world.decides(1)

    world.ledger.define(a_definition(), at(600))
    records = world.decides(600)

    assert of_kind(Offer, records) == [] or of_kind(Offer, records)[0].due > at(600)
    assert of_kind(Stretch, records) == []


def test_a_month_by_the_second_is_planned_without_counting_each():
    suspension = Suspension(start=at(0), end=at(30 * 24 * HOUR))
    world = World(a_definition(cron="* * * * * *", suspensions=(suspension,)), start=-0.5)

    counts = told(world, 30 * 24 * HOUR - 1)

    assert counts == [("skipped", 30 * 24 * HOUR)]


def test_every_skip_says_why():
    suspension = Suspension(start=at(0), end=at(60), reason="the shop is closed")
    world = World(a_definition(cron="*/10 * * * * *", suspensions=(suspension,)), start=-5)

    stretches = of_kind(Stretch, world.decides(60))

    assert [each.reason for each in stretches] == ["suspended: the shop is closed"]
    assert stretches[0].end is RunEnd.SKIPPED
    assert of_kind(Ended, world.decides(61)) == []
    assert stretches[0].last + timedelta(seconds=10) == at(60)

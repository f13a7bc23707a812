"""What the leader takes for lost (rules L2 to L4)."""

from kirby.core.nouns import RunEnd
from kirby.core.records import Ended, Offer, Probe
from tests.builders.leader import FOLDER, NOON, World, a_definition, exited, of_kind

RUN = "pump/prod@2026-03-02T12:00:00Z"
HOURLY = "0 * * * *"


def a_claimed_world(hosts: str = "alpha beta", host: str = "beta") -> World:
    world = World(a_definition(cron=HOURLY), start=-30, hosts=hosts)
    world.decides(-1)
    world.claims(RUN, host=host)
    world.decides(0)
    return world


def ends(world: World, seconds: float) -> list[RunEnd]:
    return [end.end for end in of_kind(Ended, world.decides(seconds))]


def knows_the_runs_topic(world: World, upto: int, watermark: int) -> None:
    assert world.wants_watermark()
    world.ledger.watermark_answered((watermark,))
    world.ledger.runs_read[0] = upto


def test_a_host_is_lost_after_its_lease_and_the_margin():
    world = a_claimed_world()

    world.passes(20, heard="alpha")
    before = ends(world, 20)
    world.passes(1, heard="alpha")
    after = ends(world, 21)

    assert (before, after) == ([], [RunEnd.LOST])


def test_time_in_which_the_hosts_topic_was_not_read_to_its_end_is_no_silence():
    world = a_claimed_world()

    world.passes(60, heard="alpha", at_end=False)

    assert ends(world, 60) == []


def test_time_in_which_the_leader_itself_stood_still_is_no_silence():
    world = a_claimed_world()
    world.passes(9, heard="alpha")

    world.boot += 25.0
    world.hears("alpha")  # as the log has it; what beta wrote meanwhile is read a moment later
    world.passes(1)

    assert ends(world, 35) == []


def test_a_gap_in_which_nobody_was_heard_loses_nobody_without_a_probe_read_back():
    world = a_claimed_world()

    world.passes(120)

    assert ends(world, 120) == []


def test_a_gap_with_probes_read_back_loses_the_others_but_never_the_own_host():
    others, own = a_claimed_world(host="beta"), a_claimed_world(host="alpha")

    for world in (others, own):
        for _ in range(60):
            world.passes(1)
            world.ledger.roster.read_probe(Probe(epoch=7, sent=NOON), world.boot)

    assert ends(others, 60) == [RunEnd.LOST]
    assert ends(own, 60) == []


def test_after_a_gap_every_silence_begins_at_zero():
    world = a_claimed_world()
    world.passes(12)

    world.passes(2)
    world.hears("alpha")
    world.passes(10, heard="alpha")

    assert ends(world, 24) == []


def test_a_claimant_that_never_beat_is_lost_like_any_other():
    world = a_claimed_world(hosts="alpha", host="gamma")

    world.passes(21, heard="alpha")

    assert ends(world, 21) == [RunEnd.LOST]


def test_a_newer_life_of_the_same_folder_that_does_not_list_it_means_it_never_began():
    world = a_claimed_world(host="alpha")
    world.begins_anew("alpha", 20)
    world.hears("alpha", incarnation=20)

    knows_the_runs_topic(world, upto=8, watermark=8)
    world.decides(1)
    offers = of_kind(Offer, world.decides(2.1))

    assert [(offer.run, offer.attempt) for offer in offers] == [(RUN, 2)]


def test_a_newer_life_with_another_folder_means_it_is_lost():
    world = a_claimed_world(host="alpha")
    world.begins_anew("alpha", 20, folder="folder-2")
    world.hears("alpha", incarnation=20, folder="folder-2")

    knows_the_runs_topic(world, upto=8, watermark=8)

    assert ends(world, 1) == [RunEnd.LOST]


def test_nothing_is_decided_before_the_runs_topic_was_read_past_the_watermark():
    world = a_claimed_world(host="alpha")
    world.hears("alpha", incarnation=20, folder="folder-2")

    knows_the_runs_topic(world, upto=7, watermark=8)
    short_of_it = ends(world, 1)
    world.ledger.runs_read[0] = 8
    past_it = ends(world, 2)

    assert (short_of_it, past_it) == ([], [RunEnd.LOST])


def test_an_end_that_stands_before_the_watermark_is_the_end():
    world = a_claimed_world(host="alpha")
    world.hears("alpha", incarnation=20, folder="folder-2")

    knows_the_runs_topic(world, upto=7, watermark=8)
    world.tells(exited(RUN))
    world.ledger.runs_read[0] = 8

    assert ends(world, 1) == [RunEnd.SUCCEEDED]


def test_a_newer_life_that_lists_the_attempt_has_adopted_it():
    world = a_claimed_world(host="alpha")

    world.hears("alpha", RUN, incarnation=20)

    assert not world.wants_watermark()


def test_a_heartbeat_of_a_superseded_life_counts_for_nothing_but_its_silence():
    world = a_claimed_world(host="alpha")
    world.begins_anew("alpha", 20)

    world.hears("alpha", incarnation=10)

    assert not world.wants_watermark()
    assert world.ledger.roster.view("alpha").incarnation == 20


def test_an_unanswered_watermark_is_asked_for_again():
    world = a_claimed_world(host="alpha")
    world.hears("alpha", incarnation=20, folder=FOLDER)
    assert world.wants_watermark()

    world.ledger.watermark_answered(None)

    assert world.wants_watermark()

"""Where daemons belong, and how they get there: never begun before they have ended elsewhere."""

from typing import Any

from kirby.core.leader.mirror import Mirror
from kirby.core.leader.moves import Places, next_places
from kirby.core.leader.placement import place
from kirby.core.names import ContextKey, Epoch, Host
from kirby.core.nouns import Definition, Hosts, LeaderReason, Schedule
from kirby.core.records import Cursor, DaemonOffer, Drained, Offer, Phase
from tests.builders.leader import World, a_definition, at, of_kind

FEED = "feed/prod"
INSTANCE = "feed/prod#"
ALL_HOSTS = [Host(name) for name in ("alpha", "beta", "gamma", "delta", "echo")]


def a_feed(hosts: Hosts = "all", **fields: Any) -> Definition:
    return a_definition(FEED, kind="daemon", hosts=hosts, package="feed==1.0", **fields)


def a_placed_world(hosts: Hosts = "all", living: str = "alpha beta") -> World:
    """Return a world whose daemon was offered, and runs where it should."""
    world = World(a_feed(hosts), start=-5, hosts=living)
    world.ledger.mark_daemons()
    world.ledger.books[ContextKey(FEED)].posted = None
    offer = world.places(-4)
    assert offer is not None
    for host in offer.hosts:
        runs_on(world, host)
    return world


def runs_on(world: World, host: str, *, has_read: int | None = None) -> None:
    world.hears(host, INSTANCE + host, daemons=FEED, has_read=has_read)


def hosts_and_leaving(offer: DaemonOffer | None) -> tuple[str, str]:
    assert offer is not None
    return " ".join(offer.hosts), " ".join(offer.leaving)


def test_a_daemon_is_offered_to_all_living_hosts():
    world = World(a_feed(), start=-5, hosts="alpha beta")

    assert hosts_and_leaving(world.places(-4)) == ("alpha beta", "")


def test_a_daemon_stays_where_it_is_while_its_host_is_silent_but_not_lost():
    world = a_placed_world()

    world.passes(17, heard="alpha")
    runs_on(world, "alpha")
    world.ledger.mark_daemons()

    assert hosts_and_leaving(world.places(17)) == ("alpha beta", "")


def test_a_daemon_that_moves_ends_at_its_old_host_before_the_new_one_is_named():
    world = a_placed_world(hosts=("alpha",))
    world.ledger.define(a_feed(hosts=("beta",)), at(0))

    first = hosts_and_leaving(world.places(1))
    runs_on(world, "alpha")
    still_there = hosts_and_leaving(world.places(2))
    world.hears("alpha")
    gone = hosts_and_leaving(world.places(3))

    assert first == still_there == ("", "alpha")
    assert gone == ("beta", "")


def test_an_absence_in_a_heartbeat_that_has_not_read_the_offer_is_not_believed():
    world = a_placed_world(hosts=("alpha",))
    world.ledger.define(a_feed(hosts=("beta",)), at(0))
    world.places(1)

    world.hears("alpha", has_read=world.daemons_end - 1)
    not_yet = hosts_and_leaving(world.places(2))
    world.hears("alpha")

    assert not_yet == ("", "alpha")
    assert hosts_and_leaving(world.places(3)) == ("beta", "")


def test_a_host_that_does_not_say_how_far_it_has_read_is_not_believed():
    world = a_placed_world(hosts=("alpha",))
    world.ledger.define(a_feed(hosts=("beta",)), at(0))
    world.places(1)

    world.hears("alpha", has_read=0)

    assert hosts_and_leaving(world.places(2)) == ("", "alpha")


def test_what_may_still_start_on_a_host_counts_although_the_shim_does_not_hold_it():
    world = a_placed_world(hosts=("alpha",))
    world.ledger.define(a_feed(hosts=("beta",)), at(0))
    world.places(1)

    world.hears("alpha", daemons=FEED)

    assert hosts_and_leaving(world.places(2)) == ("", "alpha")


def test_an_instance_that_has_ended_and_waits_to_be_shipped_is_gone():
    world = a_placed_world(hosts=("alpha",))
    world.ledger.define(a_feed(hosts=("beta",)), at(0))
    world.places(1)

    world.hears("alpha", INSTANCE + "alpha", phase=Phase.ENDED)

    assert hosts_and_leaving(world.places(2)) == ("beta", "")


def test_a_vanished_host_gives_its_daemon_up_only_when_it_is_lost():
    world = a_placed_world(hosts=1)
    (old,) = world.ledger.books[ContextKey(FEED)].posted.hosts
    other = "beta" if old == "alpha" else "alpha"

    world.passes(20, heard=other)
    silent = hosts_and_leaving(world.places(20))
    world.passes(1, heard=other)

    assert silent == (old, "")
    assert hosts_and_leaving(world.places(21)) == (other, "")


def test_a_host_that_comes_back_with_a_daemon_that_went_elsewhere_must_end_it():
    world = a_placed_world(hosts=1)
    (old,) = world.ledger.books[ContextKey(FEED)].posted.hosts
    other = "beta" if old == "alpha" else "alpha"
    world.passes(21, heard=other)
    world.places(21)
    world.ledger.roster.drained = frozenset({Host(old)})

    runs_on(world, old)

    assert hosts_and_leaving(world.places(22)) == (other, old)


def test_a_daemon_goes_back_at_once_to_a_host_that_it_has_not_left_yet():
    world = a_placed_world(hosts=("alpha",))
    world.ledger.define(a_feed(hosts=("beta",)), at(0))
    world.places(1)

    world.ledger.define(a_feed(hosts=("alpha",)), at(2))

    assert hosts_and_leaving(world.places(2)) == ("alpha", "")


def test_a_daemon_on_every_host_does_not_wait_on_one_for_another():
    places = next_places(ALL_HOSTS[:2], None, frozenset({Host("gamma")}))

    assert places == Places(hosts=("alpha", "beta"), leaving=("gamma",))


def test_the_places_left_and_the_places_taken_together_are_never_more_than_asked_for():
    held = frozenset({Host("alpha"), Host("beta")})

    places = next_places([Host("gamma"), Host("alpha")], 2, held)

    assert places == Places(hosts=("alpha",), leaving=("beta",))


def test_a_held_daemon_ends_everywhere_before_its_tombstone():
    world = a_placed_world()
    world.ledger.define(a_feed(held=True), at(1))

    ending = hosts_and_leaving(world.places(1))
    world.hears("alpha")
    one_left = hosts_and_leaving(world.places(2))
    world.hears("beta")

    assert ending == ("", "alpha beta")
    assert one_left == ("", "beta")
    assert world.places(3) is None


def test_a_deleted_daemon_ends_everywhere_before_its_tombstone():
    world = a_placed_world(living="alpha")
    world.ledger.undefine(ContextKey(FEED), LeaderReason.DELETED)

    ending = hosts_and_leaving(world.places(1))
    world.hears("alpha")

    assert ending == ("", "alpha")
    assert world.places(2) is None


def test_a_host_that_joins_is_given_its_share_with_its_first_heartbeat():
    world = a_placed_world()

    world.hears("gamma")

    assert hosts_and_leaving(world.places(1)) == ("alpha beta gamma", "")


def test_a_new_leader_places_nothing_on_a_host_that_only_the_log_remembers():
    world = a_placed_world(hosts=("alpha", "beta"), living="alpha")
    world.hears("beta")
    world.ledger.roster.begin(world.boot)
    world.ledger.is_settled = False

    world.hears("alpha", INSTANCE + "alpha", daemons=FEED)
    world.ledger.settle(world.boot)
    early = hosts_and_leaving(world.places(1))
    world.passes(6, heard="")
    runs_on(world, "alpha")
    world.ledger.settle(world.boot)
    settled = hosts_and_leaving(world.places(7))

    assert early == settled == ("alpha", "")


def test_a_new_leader_goes_on_with_a_move_where_the_last_one_stopped():
    before = a_placed_world(hosts=("alpha",))
    before.ledger.define(a_feed(hosts=("beta",)), at(0))
    before.places(1)
    book = before.ledger.books[ContextKey(FEED)]
    cursor = book.cursor(at(1), (), (), ())
    world = World(hosts="alpha beta")

    world.ledger.restore_daemon(ContextKey(FEED), book.posted, book.stands)
    world.ledger.restore_cursor(cursor)
    world.daemons_end = before.daemons_end
    runs_on(world, "alpha")
    still_there = hosts_and_leaving(world.places(2))
    world.hears("alpha")

    assert isinstance(cursor, Cursor)
    assert still_there == ("", "alpha")
    assert hosts_and_leaving(world.places(3)) == ("beta", "")


def test_an_offer_of_an_earlier_kirby_is_read_as_one_that_takes_nothing_away():
    offer = DaemonOffer(
        context=ContextKey(FEED), epoch=Epoch(1), hosts=(), plan=World(a_feed()).places(0).plan
    )

    assert offer.leaving == ()


def test_a_host_that_joins_takes_over_only_what_it_gains():
    contexts = [ContextKey(f"job-{n}/prod") for n in range(300)]

    before = {each: set(place(each, 2, ALL_HOSTS[:4])) for each in contexts}
    after = {each: set(place(each, 2, ALL_HOSTS)) for each in contexts}

    assert all(after[each] - before[each] <= {"echo"} for each in contexts)
    assert 80 < sum("echo" in after[each] for each in contexts) < 160  # 2 of 5: 120


def test_a_host_that_leaves_gives_up_only_what_it_had():
    contexts = [ContextKey(f"job-{n}/prod") for n in range(300)]

    before = {each: set(place(each, 2, ALL_HOSTS)) for each in contexts}
    after = {each: set(place(each, 2, ALL_HOSTS[:4])) for each in contexts}

    assert all(before[each] - after[each] <= {"echo"} for each in contexts)
    assert all(after[each] == before[each] for each in contexts if "echo" not in before[each])


def test_a_drained_host_is_neither_named_for_runs_nor_given_daemons():
    world = World(a_definition(), a_feed(), start=-5, hosts="alpha beta")
    world.ledger.roster.drained = frozenset({Host("alpha")})

    (offer,) = of_kind(Offer, world.decides(-1))

    assert offer.hosts == ("beta",)


def test_the_daemons_of_a_drained_host_end_there_first_and_come_back_when_that_is_undone():
    world = a_placed_world(hosts=1)
    (old,) = world.ledger.books[ContextKey(FEED)].posted.hosts
    other = "beta" if old == "alpha" else "alpha"
    mirror = Mirror()

    mirror.fetched(Schedule(revision=1, drained=(old,), whole=False), world.ledger, at(0))
    first = hosts_and_leaving(world.places(1))
    world.hears(old)
    second = hosts_and_leaving(world.places(2))
    mirror.fetched(Schedule(revision=2, whole=False), world.ledger, at(3))
    undone = hosts_and_leaving(world.places(3))

    assert (first, second, undone) == (("", old), (other, ""), ("", other))
    assert [post.key for post in mirror.pending] == [f"#{old}", f"#{old}"]


def test_a_new_leader_knows_from_the_mirror_which_hosts_are_drained():
    world = World(hosts="alpha beta")
    mirror = Mirror()

    mirror.read("#alpha", Drained(host=Host("alpha")))
    mirror.take_up(world.ledger, at(0))

    assert world.ledger.roster.live() == ["beta"]

"""Which daemons run on a host: what should, compared with what does."""

import msgspec

from kirby.core.guarding import daemons
from kirby.core.guarding.daemons import (
    AskEnd,
    DaemonOfferRead,
    Daemons,
    Effect,
    Event,
    FindWatchdog,
    IncarnationKnown,
    InstanceSeen,
    Keep,
    OffersReached,
    OffersReadUp,
    Release,
    ShimHolds,
    TellRunner,
    TellRunnerAll,
    Ticked,
    WatchdogReplaced,
)
from kirby.core.messages import KeepRunning
from kirby.core.names import Incarnation
from kirby.core.records import DaemonOffer, Edition, Instance, InstanceState, RollOut, Watch
from tests.builders.claims import NOON
from tests.builders.daemons import ALPHA, BETA, MIXER, a_daemon_offer, a_keep


class ArbiterUnderTest:
    def __init__(self) -> None:
        self.state = Daemons(host=ALPHA)
        self.boot = 1000.0

    def told(self, event: Event) -> list[Effect]:
        self.state, effects = daemons.step(self.state, event, self.boot)
        return effects

    def after(self, seconds: float) -> list[Effect]:
        self.boot += seconds
        return self.told(Ticked())

    def reads(self, offer: DaemonOffer | None) -> list[Effect]:
        return self.told(DaemonOfferRead(context=MIXER, offer=offer))

    def answered(self, keep: KeepRunning | None = None) -> list[Effect]:
        return self.told(InstanceSeen(instance=an_instance(), answers=keep or a_keep()))


def an_instance(state: InstanceState = InstanceState.RUNNING) -> Instance:
    return Instance(context=MIXER, state=state)


def an_arbiter(*, read_up: bool = True) -> ArbiterUnderTest:
    arbiter = ArbiterUnderTest()
    arbiter.told(IncarnationKnown(incarnation=Incarnation(500)))
    if read_up:
        arbiter.told(OffersReadUp())
    return arbiter


def test_a_daemon_that_belongs_here_is_to_be_kept_running() -> None:
    arbiter = an_arbiter()

    assert arbiter.reads(a_daemon_offer()) == [Keep(keep=a_keep())]


def test_a_daemon_that_belongs_elsewhere_is_not() -> None:
    arbiter = an_arbiter()

    assert arbiter.reads(a_daemon_offer(hosts=(BETA,))) == []


def test_nothing_is_told_before_the_incarnation_is_known() -> None:
    arbiter = ArbiterUnderTest()

    arbiter.told(OffersReadUp())

    before = arbiter.reads(a_daemon_offer())
    after = arbiter.told(IncarnationKnown(incarnation=Incarnation(500)))

    assert before == []
    assert after == [Keep(keep=a_keep())]


def test_what_is_not_answered_is_repeated_and_what_is_answered_is_not() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())

    too_soon, again = arbiter.after(1.0), arbiter.after(1.0)
    arbiter.answered()
    afterwards = arbiter.after(60.0)

    assert (too_soon, again) == ([], [FindWatchdog(context=MIXER), Keep(keep=a_keep())])
    assert afterwards == []
    assert daemons.next_wake(arbiter.state) is None


def test_an_offer_that_changed_is_told_at_once() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())
    arbiter.answered()
    restarted = a_daemon_offer(generation=1)

    assert arbiter.reads(restarted) == [Keep(keep=a_keep(restarted))]


def test_an_offer_of_a_lower_epoch_is_ignored() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer(epoch=7))
    arbiter.answered(a_keep(a_daemon_offer(epoch=7)))

    effects = arbiter.reads(a_daemon_offer(epoch=6, hosts=(BETA,)))

    assert effects == []
    assert arbiter.state.offers[MIXER].epoch == 7


def test_an_offer_of_a_lower_epoch_is_ignored_after_a_tombstone_too() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer(epoch=7))
    arbiter.reads(None)

    assert Keep not in {type(effect) for effect in arbiter.reads(a_daemon_offer(epoch=6))}


def test_a_tombstone_lets_go_until_the_instance_is_gone() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())
    arbiter.answered()

    at_once = arbiter.reads(None)
    arbiter.boot += 2.0
    again = arbiter.told(Ticked())
    arbiter.told(InstanceSeen(instance=an_instance(), gone=True))
    afterwards = arbiter.after(60.0)

    assert [type(effect) for effect in at_once] == [Release]
    assert [type(effect) for effect in again] == [FindWatchdog, Release]
    assert afterwards == []


def test_a_daemon_that_moved_elsewhere_is_let_go() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())
    arbiter.answered()
    arbiter.boot += 2.0

    effects = arbiter.reads(a_daemon_offer(hosts=(BETA,)))

    assert [type(effect) for effect in effects] == [Release]


def test_an_instance_found_in_the_shim_that_nobody_wants_is_let_go() -> None:
    arbiter = an_arbiter()

    effects = arbiter.told(ShimHolds(contexts=frozenset({MIXER})))

    assert [type(effect) for effect in effects] == [Release]


def test_of_the_offers_read_up_only_the_latest_is_acted_on() -> None:
    arbiter = an_arbiter(read_up=False)
    latest = a_daemon_offer(package="mixer==2.0", generation=3)

    before = arbiter.reads(a_daemon_offer()) + arbiter.reads(latest)
    after = arbiter.told(OffersReadUp())

    assert before == []
    assert after == [Keep(keep=a_keep(latest))]


def test_an_offer_that_a_later_one_took_back_starts_nothing_while_reading_up() -> None:
    arbiter = an_arbiter(read_up=False)

    effects = arbiter.reads(a_daemon_offer()) + arbiter.reads(None)

    assert effects + arbiter.told(OffersReadUp()) == []


def test_a_daemon_that_the_shim_does_not_hold_is_told_again_though_it_was_answered() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())
    arbiter.answered()
    arbiter.boot += 10.0

    missing = arbiter.told(ShimHolds(contexts=frozenset()))
    arbiter.answered()
    arbiter.boot += 10.0
    there = arbiter.told(ShimHolds(contexts=frozenset({MIXER})))

    assert Keep(keep=a_keep()) in missing
    assert there == [TellRunnerAll(instances=(an_instance(),))]


def test_an_instance_let_go_that_the_shim_still_holds_is_let_go_again() -> None:
    arbiter = an_arbiter()
    arbiter.told(ShimHolds(contexts=frozenset({MIXER})))
    arbiter.told(InstanceSeen(instance=an_instance(), gone=True))
    arbiter.boot += 10.0

    effects = arbiter.told(ShimHolds(contexts=frozenset({MIXER})))

    assert [type(effect) for effect in effects] == [Release]


def test_the_runner_is_not_told_of_all_instances_before_all_are_known() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())

    effects = arbiter.told(ShimHolds(contexts=frozenset({MIXER})))

    assert effects == []


def test_nothing_is_let_go_before_the_offers_are_read_up() -> None:
    arbiter = an_arbiter(read_up=False)

    before = arbiter.told(ShimHolds(contexts=frozenset({MIXER})))
    after = arbiter.told(OffersReadUp())

    assert before == []
    assert [type(effect) for effect in after] == [Release]


def test_a_new_watchdog_is_told_again() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())
    arbiter.answered()

    assert arbiter.told(WatchdogReplaced(context=MIXER)) == [Keep(keep=a_keep())]


def test_a_new_incarnation_says_everything_again_with_its_number() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())
    arbiter.answered()

    effects = arbiter.told(IncarnationKnown(incarnation=Incarnation(501)))

    assert Keep(keep=a_keep(life=501)) in effects
    assert TellRunner(instance=an_instance()) in effects


def test_an_incarnation_told_again_changes_nothing() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())
    arbiter.answered()

    assert arbiter.told(IncarnationKnown(incarnation=Incarnation(500))) == []


def test_an_older_incarnation_is_ignored() -> None:
    arbiter = an_arbiter()

    arbiter.told(IncarnationKnown(incarnation=Incarnation(499)))

    assert arbiter.state.incarnation == 500


def test_the_runner_is_told_how_instances_stand_when_that_changes() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())

    first, again = arbiter.answered(), arbiter.answered()

    assert first == [TellRunner(instance=an_instance())]
    assert again == []


def stood(arbiter: ArbiterUnderTest) -> tuple[tuple[int, ...], tuple[str, ...]] | None:
    """Return what the Runner is to say: how far the offers were read, and what may be here."""
    stand = daemons.standing(arbiter.state)
    return (stand.read, stand.here) if stand is not None else None


def test_nothing_is_said_of_how_daemons_stand_before_the_offers_are_read_up() -> None:
    arbiter = an_arbiter(read_up=False)
    arbiter.told(OffersReached(partition=0, next_offset=7))

    before = stood(arbiter)
    arbiter.told(OffersReadUp())

    assert (before, stood(arbiter)) == (None, ((7,), ()))


def test_a_daemon_may_be_here_from_the_first_word_to_its_watchdog_on() -> None:
    arbiter = an_arbiter()

    arbiter.reads(a_daemon_offer())

    assert stood(arbiter) == ((), (MIXER,))


def test_a_daemon_may_be_here_until_its_watchdog_says_that_nothing_is_left() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())
    arbiter.reads(a_daemon_offer(hosts=(BETA,), leaving=(ALPHA,)))

    unanswered = stood(arbiter)
    arbiter.told(WatchdogReplaced(context=MIXER))
    replaced = stood(arbiter)
    arbiter.told(InstanceSeen(instance=an_instance(), gone=True))

    assert unanswered == replaced == ((), (MIXER,))
    assert stood(arbiter) == ((), ())


def test_a_word_that_was_not_answered_is_taken_back_all_the_same() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer())

    effects = arbiter.reads(a_daemon_offer(hosts=(BETA,), leaving=(ALPHA,)))

    assert [type(effect) for effect in effects] == [Release]


def test_a_new_arbiter_has_a_daemon_that_leaves_confirmed_as_gone() -> None:
    arbiter = an_arbiter()

    effects = arbiter.reads(a_daemon_offer(hosts=(BETA,), leaving=(ALPHA,)))
    told = stood(arbiter)
    arbiter.told(InstanceSeen(instance=an_instance(), gone=True))
    again = arbiter.reads(a_daemon_offer(hosts=(), leaving=(ALPHA, BETA)))

    assert [type(effect) for effect in effects] == [Release]
    assert told == ((), (MIXER,))
    assert again == []
    assert stood(arbiter) == ((), ())


def test_a_daemon_that_its_watchdog_gave_up_begins_only_after_the_offers_are_read_again() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer(hosts=(ALPHA,)))
    given_up = arbiter.told(InstanceSeen(instance=an_instance(InstanceState.STARTING), gone=True))

    meanwhile = arbiter.after(10.0)
    arbiter.reads(a_daemon_offer(hosts=(BETA,)))
    then = arbiter.told(OffersReadUp())

    assert AskEnd() in given_up
    assert (meanwhile, then) == ([], [])


def test_a_daemon_that_was_given_up_and_still_belongs_here_is_told_again_but_not_at_once() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer(hosts=(ALPHA,)))
    arbiter.told(InstanceSeen(instance=an_instance(InstanceState.STARTING), gone=True))

    at_once = arbiter.told(OffersReadUp())
    later = arbiter.after(2.0)

    assert at_once == []
    assert Keep(keep=a_keep()) in later


def test_a_daemon_that_was_given_up_is_not_here_for_the_heartbeat() -> None:
    arbiter = an_arbiter()
    arbiter.reads(a_daemon_offer(hosts=(ALPHA,)))

    before = stood(arbiter)
    arbiter.told(InstanceSeen(instance=an_instance(InstanceState.STARTING), gone=True))
    after = stood(arbiter)

    assert before is not None
    assert after is not None
    assert (before[1], after[1]) == ((MIXER,), ())


def test_how_far_the_offers_are_read_never_goes_back() -> None:
    arbiter = an_arbiter()

    arbiter.told(OffersReached(partition=1, next_offset=7))
    arbiter.told(OffersReached(partition=1, next_offset=5))

    assert stood(arbiter) == ((0, 7), ())


def test_a_host_that_is_not_in_turn_yet_goes_on_with_its_earlier_edition() -> None:
    old = a_daemon_offer(hosts=(ALPHA, BETA))
    waits = Edition(plan=old.plan, generation=0, hosts=(ALPHA,))
    arbiter = an_arbiter()

    effects = arbiter.reads(
        msgspec.structs.replace(
            a_daemon_offer(hosts=(ALPHA, BETA), package="mixer==2.0"), earlier=(waits,)
        )
    )

    assert effects == [Keep(keep=a_keep(old))]


def test_how_far_a_roll_out_has_come_elsewhere_concerns_no_watchdog() -> None:
    offer = a_daemon_offer(hosts=(ALPHA, BETA))
    arbiter = an_arbiter()
    arbiter.reads(offer)
    arbiter.answered(a_keep(offer))
    roll_out = RollOut(began=NOON, back=Edition(plan=offer.plan), watch=Watch(host=BETA))

    effects = arbiter.reads(msgspec.structs.replace(offer, roll_out=roll_out, at=NOON))

    assert effects == []

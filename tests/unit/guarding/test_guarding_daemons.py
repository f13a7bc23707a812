"""How a daemon's instance is kept running."""

from datetime import timedelta

from kirby.core.guarding import instance as guarding
from kirby.core.guarding.fitting import fitting_of
from kirby.core.guarding.instance import (
    ArmDaemon,
    Armed,
    ArmRefused,
    Daemon,
    Effect,
    Ended,
    EnvironmentStands,
    Event,
    Found,
    ShimGone,
    StopDaemon,
    Ticked,
    Unwanted,
    Up,
    Wanted,
    WantEnvironment,
)
from kirby.core.guarding.telling import instance_of
from kirby.core.messages import KeepRunning
from kirby.core.moment import Moment
from kirby.core.nouns import Variable
from kirby.core.records import InstanceState
from tests.builders.claims import NOON
from tests.builders.daemons import MIXER, PACKAGE, a_daemon_offer, a_keep

MIDDLE = 0.5  # chance that leaves a back-off as it is


class GuardUnderTest:
    def __init__(self) -> None:
        self.state = Daemon(context=MIXER)
        self.seconds = 0.0

    @property
    def now(self) -> Moment:
        return Moment(wall=NOON + timedelta(seconds=self.seconds), boot=1000.0 + self.seconds)

    def told(self, event: Event) -> list[Effect]:
        self.state, effects = guarding.step(self.state, event, self.now, MIDDLE)
        return effects

    def after(self, seconds: float) -> list[Effect]:
        self.seconds += seconds
        return self.told(Ticked())

    def lives_for(self, seconds: float, attempt: int = 1) -> list[Effect]:
        """Have an instance armed that ends by itself after a while."""
        self.told(Armed(attempt=attempt))
        self.seconds += seconds
        return self.told(Ended(attempt=attempt, sentence="exit status 1"))

    @property
    def shown(self) -> InstanceState:
        return instance_of(self.state).state


def a_guard(*, ready: bool = True, keep: KeepRunning | None = None) -> GuardUnderTest:
    """Return a guard of a daemon that should run, of which the shim holds nothing."""
    guard = GuardUnderTest()
    if ready:
        guard.told(EnvironmentStands(package=PACKAGE, ready=True))
    guard.told(Wanted(keep=keep or a_keep()))
    guard.told(Found(life=None))
    return guard


def a_guard_of_one_that_lives(attempt: int = 1) -> GuardUnderTest:
    guard = a_guard()
    guard.told(Armed(attempt=attempt))
    return guard


def a_life(keep: KeepRunning | None = None, attempt: int = 7) -> Up:
    fitting = fitting_of((keep or a_keep()).offer)
    return Up(attempt=attempt, fitting=fitting, boot=900.0, since=NOON)


def test_a_daemon_that_should_run_is_armed() -> None:
    guard = GuardUnderTest()
    guard.told(EnvironmentStands(package=PACKAGE, ready=True))
    guard.told(Wanted(keep=a_keep()))

    assert guard.told(Found(life=None)) == [ArmDaemon(keep=a_keep())]
    assert guard.shown is InstanceState.STARTING


def test_nothing_is_armed_before_the_shim_has_said_what_it_holds() -> None:
    guard = GuardUnderTest()
    guard.told(EnvironmentStands(package=PACKAGE, ready=True))

    assert guard.told(Wanted(keep=a_keep())) == []


def test_an_instance_found_alive_is_adopted_undisturbed() -> None:
    guard = GuardUnderTest()
    guard.told(Wanted(keep=a_keep()))

    effects = guard.told(Found(life=a_life())) + guard.after(120.0)

    assert effects == []
    assert instance_of(guard.state).attempt == 7
    assert guard.shown is InstanceState.RUNNING


def test_an_instance_found_alive_of_a_lower_generation_is_replaced() -> None:
    guard = GuardUnderTest()
    guard.told(EnvironmentStands(package=PACKAGE, ready=True))
    restarted = a_keep(a_daemon_offer(generation=1))
    guard.told(Wanted(keep=restarted))

    on_found = guard.told(Found(life=a_life(attempt=7)))
    on_end = guard.told(Ended(attempt=7, sentence="stopped"))

    assert on_found == [StopDaemon(attempt=7, reason="replaced")]
    assert on_end == [ArmDaemon(keep=restarted)]


def test_a_living_instance_is_replaced_when_package_or_variables_change() -> None:
    of_package, of_variables = a_guard_of_one_that_lives(), a_guard_of_one_that_lives()
    variables = (Variable(name="RATE", value="2"),)

    of_package.told(EnvironmentStands(package="mixer==2.0", ready=True))
    by_package = of_package.told(Wanted(keep=a_keep(a_daemon_offer(package="mixer==2.0"))))
    by_variables = of_variables.told(Wanted(keep=a_keep(a_daemon_offer(variables=variables))))

    stop = StopDaemon(attempt=1, reason="replaced")
    assert (by_package, by_variables) == ([stop], [stop])


def test_a_leader_that_changed_replaces_nothing() -> None:
    guard = a_guard_of_one_that_lives()

    assert guard.told(Wanted(keep=a_keep(a_daemon_offer(epoch=9)))) == []


def test_a_word_of_an_older_incarnation_is_ignored() -> None:
    guard = a_guard_of_one_that_lives()

    guard.told(Wanted(keep=a_keep(a_daemon_offer(generation=5), life=499)))

    assert guard.state.keep == a_keep()


def test_an_instance_that_is_let_go_is_stopped_and_then_gone() -> None:
    guard = a_guard_of_one_that_lives()

    on_word = guard.told(Unwanted(reason="it was stopped or deleted"))
    on_end = guard.told(Ended(attempt=1, sentence="stopped"))

    assert on_word == [StopDaemon(attempt=1, reason="held")]
    assert on_end == []
    assert guard.state.is_gone


def test_an_instance_that_does_not_end_is_asked_again() -> None:
    guard = a_guard_of_one_that_lives()
    guard.told(Unwanted(reason="it was stopped or deleted"))

    assert guard.after(5.0) == [StopDaemon(attempt=1, reason="held")]


def test_an_instance_let_go_while_it_is_armed_is_stopped_as_soon_as_it_lives() -> None:
    guard = a_guard()
    guard.told(Unwanted(reason="it was stopped or deleted"))

    assert guard.told(Armed(attempt=1)) == [StopDaemon(attempt=1, reason="held")]


def test_an_instance_that_ended_is_started_again_after_a_growing_back_off() -> None:
    guard = a_guard()
    waits = []

    for attempt in range(1, 5):
        guard.lives_for(0.1, attempt)
        begun = guard.seconds
        while not guard.told(Ticked()):
            guard.seconds += 0.1
        waits.append(round(guard.seconds - begun))

    assert waits == [1, 2, 4, 8]


def test_a_healthy_minute_makes_up_for_short_lives() -> None:
    guard = a_guard()
    for attempt in range(1, 4):
        guard.lives_for(0.1, attempt)
        guard.after(10.0)

    guard.lives_for(61.0, attempt=4)

    assert guard.after(1.0) == [ArmDaemon(keep=a_keep())]


def test_five_short_lives_are_a_crash_loop_that_is_shown_and_goes_on() -> None:
    guard = a_guard()
    for attempt in range(1, 6):
        guard.lives_for(0.1, attempt)
        shown = guard.shown
        guard.after(400.0)

    restarted = guard.told(Armed(attempt=6))

    assert shown is InstanceState.CRASH_LOOP
    assert restarted == []
    assert guard.shown is InstanceState.CRASH_LOOP


def test_a_crash_loop_is_over_after_a_healthy_minute() -> None:
    guard = a_guard()
    for attempt in range(1, 6):
        guard.lives_for(0.1, attempt)
        guard.after(400.0)

    guard.told(Armed(attempt=6))
    guard.after(61.0)

    assert guard.shown is InstanceState.RUNNING


def test_another_version_is_started_without_waiting_for_the_back_off_of_the_last() -> None:
    guard = a_guard()
    for attempt in range(1, 5):
        guard.lives_for(0.1, attempt)
        guard.after(20.0)
    guard.lives_for(0.1, attempt=5)
    better = a_keep(a_daemon_offer(package="mixer==1.1"))
    guard.told(EnvironmentStands(package="mixer==1.1", ready=True))

    assert guard.told(Wanted(keep=better)) == [ArmDaemon(keep=better)]


def test_an_environment_that_is_not_there_is_asked_for_and_then_the_daemon_starts() -> None:
    guard = GuardUnderTest()
    guard.told(Wanted(keep=a_keep()))

    asked = guard.told(Found(life=None))
    ready = guard.told(EnvironmentStands(package=PACKAGE, ready=True))

    assert asked == [WantEnvironment(keep=a_keep())]
    assert ready == [ArmDaemon(keep=a_keep())]


def test_a_daemon_that_cannot_be_installed_says_so() -> None:
    guard = a_guard(ready=False)

    guard.told(EnvironmentStands(package=PACKAGE, ready=False, reason="no such package"))

    assert guard.shown is InstanceState.NOT_INSTALLED
    assert instance_of(guard.state).reason == "no such package"


def test_a_refusal_is_tried_again_after_a_while_and_counts_as_no_life() -> None:
    guard = a_guard()

    guard.told(ArmRefused(code="full", sentence="the disk of the state folder is full"))
    too_soon, then = guard.after(4.9), guard.after(0.2)

    assert (too_soon, then) == ([], [ArmDaemon(keep=a_keep())])
    assert instance_of(guard.state).restarts == 0


def test_a_superseded_word_is_not_carried_out_until_a_newer_one_comes() -> None:
    guard = a_guard()

    guard.told(ArmRefused(code="superseded", sentence="superseded by 501"))
    meanwhile = guard.after(60.0)
    newer = guard.told(Wanted(keep=a_keep(life=501)))

    assert meanwhile == []
    assert newer == [ArmDaemon(keep=a_keep(life=501))]


def test_a_word_that_the_lease_forbids_is_given_up_until_it_is_said_again() -> None:
    guard = a_guard()

    guard.told(ArmRefused(code="lease", sentence="the lease of this host has ended"))
    meanwhile, gone = guard.after(60.0), guard.state.is_gone
    again = guard.told(Wanted(keep=a_keep()))

    assert (meanwhile, gone) == ([], True)
    assert again == [ArmDaemon(keep=a_keep())]


def test_an_instance_that_lived_already_is_adopted_when_the_arm_is_refused() -> None:
    guard = a_guard()

    guard.told(Found(life=a_life(attempt=7)))

    assert instance_of(guard.state).attempt == 7
    assert guard.after(120.0) == []


def test_an_end_that_nobody_saw_is_an_end() -> None:
    guard = a_guard_of_one_that_lives()

    guard.told(ShimGone())
    assert guard.after(10.0) == []
    effects = guard.told(Found(life=None))

    assert effects == [ArmDaemon(keep=a_keep())]


def test_an_end_missing_from_the_list_of_the_same_shim_counts_as_a_life() -> None:
    guard = a_guard_of_one_that_lives()

    guard.told(Found(life=None))

    assert instance_of(guard.state).restarts == 1


NEXT = a_keep(a_daemon_offer(package="mixer==2.0"))


def test_the_old_version_goes_on_while_the_environment_of_the_new_one_is_built() -> None:
    guard = a_guard_of_one_that_lives()

    first = guard.told(Wanted(keep=NEXT))
    again = guard.after(5.0)
    built = guard.told(EnvironmentStands(package="mixer==2.0", ready=True))

    assert first == again == [WantEnvironment(keep=NEXT)]
    assert built == [StopDaemon(attempt=1, reason="replaced")]


def test_a_version_that_cannot_be_installed_is_told_while_the_old_one_goes_on() -> None:
    guard = a_guard_of_one_that_lives()
    guard.told(Wanted(keep=NEXT))

    guard.told(
        EnvironmentStands(package="mixer==2.0", ready=False, reason="no main", for_good=True)
    )

    instance = instance_of(guard.state)
    assert instance.state is InstanceState.RUNNING
    assert (instance.edition.split()[0], instance.wanted.split()[0]) == (PACKAGE, "mixer==2.0")
    assert instance.failed == "no main"


def test_a_build_that_is_tried_again_by_itself_has_not_failed_for_good() -> None:
    guard = a_guard_of_one_that_lives()
    guard.told(Wanted(keep=NEXT))

    guard.told(EnvironmentStands(package="mixer==2.0", ready=False, reason="index is down"))

    assert instance_of(guard.state).failed == ""


def test_an_instance_says_how_often_it_has_ended_in_a_row_and_how() -> None:
    guard = a_guard()

    guard.lives_for(1.0)

    instance = instance_of(guard.state)
    assert (instance.in_a_row, instance.last_end, instance.edition) == (1, "exit status 1", "")


def test_what_is_gone_back_to_replaces_an_instance_of_a_higher_generation() -> None:
    guard = a_guard(keep=a_keep(a_daemon_offer(package="mixer==2.0", generation=3)))
    guard.told(EnvironmentStands(package="mixer==2.0", ready=True))
    guard.told(Armed(attempt=1))

    effects = guard.told(Wanted(keep=a_keep(a_daemon_offer(generation=2))))

    assert effects == [StopDaemon(attempt=1, reason="replaced")]

"""Histories written by hand: what a rule is for, where chance alone would take long to show it."""

from datetime import timedelta
from typing import Any

from kirby.core.names import ContextKey
from kirby.core.nouns import CatchUp, CronLine, Definition, JobKind, Lost, Overlap, Policies
from tests.simulation.cluster.history import Script, Step

PUMP = ContextKey("pump/prod")
FAN = ContextKey("fan/prod")
EACH_SECOND = "* * * * * *"
ALLOWED: dict[str, Any] = {"overlap": Overlap.ALLOW, "exclusive": False}


def a_script(
    *steps: Step,
    hosts: int = 2,
    late: float = 0.0,
    loss: float = 0.0,
    exclusive: bool = True,
    longest: float = 45.0,
    cron: str = "*/5 * * * * *",
    policies: dict[str, Any] | None = None,
) -> Script:
    """Return a world of long runs that must not overlap, and what befalls it."""
    laid_down = {
        "overlap": Overlap.FORBID,
        "exclusive": exclusive,
        "lost": Lost.RETRY,
        "attempts": 5,
        "back_off": timedelta(seconds=0.5),
    }
    pump = Definition(
        context=PUMP,
        kind=JobKind.SCHEDULED,
        package="script==1.0",
        schedules=(CronLine(cron=cron),),
        policies=Policies(**{**laid_down, **(policies or {})}),
    )
    return Script(
        hosts=hosts,
        slots=4 if cron == EACH_SECOND else 2,
        contexts={PUMP: pump},
        lateness=late,
        loss=loss,
        dawdling=0.3 if late else 0.0,
        longest=longest,
        long_share=0.9,
        steps=list(steps),
    )


def a_host_is_cut_off() -> Script:
    """It runs something exclusive, and is not heard for longer than its lease."""
    return a_script(Step(at=14.0, what="cut_off", args=("alpha", 45.0)))


def a_host_loses_shim_and_kirby() -> Script:
    """Only scripts are left on it."""
    return a_script(Step(at=14.0, what="kill_shim_and_actors", args=("alpha", 45.0)))


def a_leader_is_frozen_alone() -> Script:
    """Its host lives, and so do its runs; nobody else could lead."""
    frozen = Step(at=14.0, what="freeze_scheduler", args=("alpha", 30.0))
    return a_script(frozen, hosts=1, exclusive=False)


def a_host_never_comes_back() -> Script:
    """What it ran is lost by nothing but its silence."""
    return a_script(Step(at=14.0, what="remove", args=("alpha",)))


def hosts_do_not_hear_each_other() -> Script:
    """Each stands for the lead while another leads, again and again."""
    pairs = (("alpha", "beta"), ("alpha", "gamma"), ("beta", "gamma"))
    steps = [
        Step(at=8.0 + 6 * number, what="part", args=(one, other, 4.0))
        for number in range(7)
        for one, other in pairs
    ]
    return a_script(*steps, hosts=3, late=0.05, longest=2.0)


def runners_come_and_go() -> Script:
    """Each new one heartbeats of what the shim has, while the ends are still on their way."""
    steps = [
        Step(at=6.0 + 2.5 * number, what="renew_runner", args=(host, False))
        for number, host in enumerate(("alpha", "beta") * 9)
    ]
    failing = {"lost": Lost.FAIL, "overlap": Overlap.ALLOW}
    return a_script(*steps, late=0.3, longest=2.0, exclusive=False, policies=failing)


def what_is_claimed_is_suspended() -> Script:
    """The leader claims what a host has claimed just before."""
    steps = [Step(at=6.5 + 2.7 * n, what="suspend", args=(PUMP, 1.0)) for n in range(17)]
    return a_script(*steps, late=0.3, longest=2.0)


def shims_die_while_runners_sleep() -> Script:
    """A Runner has asked twice when it wakes, and all that it asked for is over and shipped."""
    steps = []
    for number in range(8):
        at = 5.5 + 6.0 * number
        steps.append(Step(at=at, what="freeze_runner", args=("alpha", 5.0)))
        steps.append(Step(at=at + 0.05, what="kill_shim", args=("alpha", 0.4)))
        steps.append(Step(at=at + 5.05, what="kill_shim", args=("alpha", 0.4)))
    return a_script(*steps, hosts=1, loss=0.2, longest=0.5, cron=EACH_SECOND, policies=ALLOWED)


def leaders_depose_each_other() -> Script:
    """Each fire is written in the moment in which another begins to lead."""
    pairs = (("alpha", "beta"), ("alpha", "gamma"), ("beta", "gamma"))
    steps = [
        Step(at=6 + 3 * number, what="part", args=(one, other, 2.9))
        for number in range(15)
        for one, other in pairs
    ]
    return a_script(*steps, hosts=3, late=0.15, longest=2.0, cron=EACH_SECOND, policies=ALLOWED)


def people_stop_what_runs() -> Script:
    """Long runs are stopped by hand, in calm weather."""
    steps = [Step(at=8.5 + 7 * number, what="ask_stop") for number in range(5)]
    return a_script(*steps, longest=45.0, policies=ALLOWED)


def a_shim_sleeps_past_deadlines() -> Script:
    """What is parked must not begin when it wakes."""
    steps = [Step(at=6.5 + 12 * n, what="freeze_shim", args=("alpha", 9.0)) for n in range(4)]
    window = {"start_window": timedelta(seconds=4), **ALLOWED}
    return a_script(*steps, hosts=1, longest=1.0, policies=window)


def a_clock_goes_back_while_a_host_is_cut_off() -> Script:
    """Who counted a lease by the wall clock would let its runs live on."""
    cut = Step(at=14.0, what="cut_off", args=("alpha", 45.0))
    clocks = [Step(at=14.5, what="set_clock", args=(host, -40.0)) for host in ("alpha",)]
    return a_script(cut, *clocks)


def disks_are_full() -> Script:
    """What is refused is offered again, and waits for its deadline."""
    steps = [
        Step(at=7.0 + 9 * n, what="fill_disk", args=(host, 7.0))
        for n in range(5)
        for host in ("alpha", "beta")
    ]
    return a_script(*steps, longest=1.0, policies={**ALLOWED, "start_window": timedelta(seconds=6)})


def a_context_is_disabled_and_comes_back() -> Script:
    """Nobody leads while it is disabled; its fires of that time are not due, then or later."""
    steps = []
    for at in (10.0, 34.0):
        steps.append(Step(at=at, what="broker_down", args=(12.0,)))
        steps.append(Step(at=at + 1.0, what="disable", args=(PUMP, 8.0)))
    return a_script(*steps, longest=1.0, policies={**ALLOWED, "catch_up": CatchUp.ALL})


def requests_come_twice() -> Script:
    """People press the button twice."""
    steps = [Step(at=6.5 + 6 * number, what="ask_run", args=(PUMP, True)) for number in range(8)]
    return a_script(*steps, longest=1.0, policies=ALLOWED)


def machines_are_copied() -> Script:
    """A host goes on with the disk of another one, which lives."""
    steps = [Step(at=9.2 + 9 * n, what="clone", args=("beta", "alpha", 1.0)) for n in range(5)]
    return a_script(*steps, exclusive=False)


def a_daemon_script(*steps: Step, loss: float = 0.0, late: float = 0.0, hosts: int = 3) -> Script:
    """Return a world with a daemon that must not be on two hosts, and what befalls it."""
    fan = Definition(
        context=FAN,
        kind=JobKind.DAEMON,
        package="script==1.0",
        hosts=1,
        policies=Policies(exclusive=True, grace=timedelta(seconds=2)),
    )
    script = a_script(*steps, hosts=hosts, loss=loss, late=late, longest=1.0, policies=ALLOWED)
    script.contexts[FAN] = fan
    return script


def a_daemon_is_moved() -> Script:
    """The hosts are drained in turn, so that it moves each few seconds."""
    steps = [
        Step(at=8.0 + 4 * number, what="drain", args=(host, 3.9))
        for number, host in enumerate(("alpha", "beta", "gamma") * 4)
    ]
    return a_daemon_script(*steps)


def a_daemon_is_moved_while_arbiters_come_and_go() -> Script:
    """What an earlier Arbiter has said to a Watchdog may arrive after its end."""
    steps = list(a_daemon_is_moved().steps)
    for number in range(40):
        host = ("alpha", "beta", "gamma")[number % 3]
        what = ("renew_arbiter", "renew_watchdog", "renew_runner")[number % 7 % 3]
        args = (host, False) if what == "renew_runner" else (host,)
        steps.append(Step(at=8.0 + 1.1 * number, what=what, args=args))
    return a_daemon_script(*sorted(steps, key=lambda step: step.at), loss=0.1, late=0.15)


def a_daemons_host_is_cut_off() -> Script:
    """It is lost, and the daemon begins elsewhere after its lease."""
    return a_daemon_script(
        *(Step(at=14.0, what="cut_off", args=(host, 40.0)) for host in ("alpha", "beta"))
    )


def messages_go_astray() -> Script:
    """One in eight never arrives, within hosts and beyond."""
    return a_script(loss=0.12, longest=1.0, cron=EACH_SECOND, policies=ALLOWED)


def hosts_lose_their_disks() -> Script:
    """What ran there had begun, and there is no trace of it."""
    steps = [
        Step(at=7.6 + 5 * n, what="wipe", args=(host, 1.0))
        for n, host in enumerate(("alpha", "beta") * 5)
    ]
    window = {"start_window": timedelta(seconds=4), "lost": Lost.FAIL}
    return a_script(*steps, exclusive=False, policies=window)

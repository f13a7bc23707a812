"""Histories written by hand: what a rule is for, where chance alone would take long to show it."""

from datetime import timedelta

from kirby.core.names import ContextKey
from kirby.core.nouns import CronLine, Definition, JobKind, Lost, Overlap, Policies
from tests.simulation.cluster.history import Script, Step

PUMP = ContextKey("pump/prod")


def a_script(
    *steps: Step, hosts: int = 2, late: float = 0.0, exclusive: bool = True, longest: float = 45.0
) -> Script:
    """Return a world of long runs that must not overlap, and what befalls it."""
    pump = Definition(
        context=PUMP,
        kind=JobKind.SCHEDULED,
        package="script==1.0",
        schedules=(CronLine(cron="*/5 * * * * *"),),
        policies=Policies(
            overlap=Overlap.FORBID,
            exclusive=exclusive,
            lost=Lost.RETRY,
            attempts=5,
            back_off=timedelta(seconds=0.5),
        ),
    )
    return Script(
        hosts=hosts,
        slots=2,
        contexts={PUMP: pump},
        lateness=late,
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
    return a_script(*steps, late=0.3, longest=2.0, exclusive=False)


def what_is_claimed_is_suspended() -> Script:
    """The leader claims what a host has claimed just before."""
    steps = [Step(at=6.5 + 2.7 * n, what="suspend", args=(PUMP, 1.0)) for n in range(17)]
    return a_script(*steps, late=0.3, longest=2.0)

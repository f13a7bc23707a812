"""The leader is paused, cut off, flapping, half frozen: another leads where one is needed, and

nothing is offered twice, nothing starts twice, nothing that is exclusive overlaps.
"""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest

from tests.acceptance.hosts.conftest import healing
from tests.stories.cluster import checkers
from tests.stories.cluster.cluster import Cluster
from tests.stories.cluster.machines import Way
from tests.stories.jobs import errand
from tests.stories.patience import eventually
from tests.stories.schedules import due_instants

LONG = os.environ.get("KIRBY_STORY_LONG") == "1"
TROUBLE_S = 30.0 if LONG else 2.0  # after another led
QUIET_S = 30.0 if LONG else 5.0  # in which nobody else must lead
FLAPPING_S = 60.0 if LONG else 6.0
NEW_LEADER_WITHIN = timedelta(seconds=10)
THAW = timedelta(milliseconds=250)  # invariant I6: what a frozen host needs to kill
CLOCK = "* * * * * *"
EVERY_FIVE = "*/5 * * * * *"

pytestmark = pytest.mark.timeout(240 + 3 * TROUBLE_S)


@pytest.fixture(scope="module")
def working(shared_cluster: Cluster) -> Cluster:
    """Give a cluster that has something to do each second, something of it exclusive."""
    jobs = {
        "clock": errand("succeed", CLOCK, lost="retry", attempts=3),
        "oven": errand(
            "tick", EVERY_FIVE, LASTS=3, exclusive=True, overlap="forbid", lost="retry", attempts=3
        ),
        "loaf": errand(
            "tick", LASTS=600, exclusive=True, overlap="forbid", lost="retry", attempts=3
        ),
    }
    shared_cluster.applies(jobs)
    return shared_cluster


@pytest.fixture
def trouble(working: Cluster) -> Iterator["Trouble"]:
    """Give the story of one trouble; afterwards all is healed and nothing was doubled."""
    eventually(lambda: working.witness.began("clock/prod"), what="the clock fires")
    with ExitStack() as stack:
        stack.enter_context(healing(working))
        yield Trouble(working)
    assert checkers.doubled(working.log, working.witness) == {}
    assert checkers.not_by_the_winner(working.log, working.witness) == []
    for context in ("oven/prod", "loaf/prod"):
        overlaps = checkers.overlaps(working.witness, context)
        assert [each for each in overlaps if each[2] > THAW] == []


class Trouble:
    """One leader, and what befalls it."""

    def __init__(self, cluster: Cluster) -> None:
        self.cluster = cluster
        self.leader = cluster.leader()
        self.machine = cluster.machine(self.leader)
        self.others = cluster.machines(without=self.leader)
        self.kafka = cluster.kafka.machine
        self.since = datetime.now(UTC)

    def lasts(self, seconds: float = TROUBLE_S) -> None:
        """Let time pass; the story is about time."""
        time.sleep(seconds)

    def another_leads(self) -> None:
        """Insist that another host took the lead in time."""
        eventually(
            lambda: checkers.led(self.cluster.log, self.since),
            what=f"another than {self.leader} leads",
            until=lambda found: any(record.host != self.leader for _, record in found),
            every_s=0.05,
        )
        took = next(
            at
            for at, record in checkers.led(self.cluster.log, self.since)
            if record.host != self.leader
        )
        print(f"another led after {(took - self.since).total_seconds():.2f} s")
        assert took - self.since < NEW_LEADER_WITHIN

    def nobody_else_led(self) -> None:
        """Insist that the lead did not change hands."""
        assert checkers.led(self.cluster.log, self.since) == []

    def every_fire_ends(self) -> None:
        """Insist that what was due meanwhile has its end, whoever leads."""
        due = due_instants([(CLOCK, "UTC")], self.since, datetime.now(UTC))
        eventually(
            lambda: checkers.without_end(self.cluster.log, "clock/prod", due),
            what="each second has its end",
            until=lambda left: not left,
            every_s=0.5,
        )


def test_a_leader_that_is_paused_is_replaced_and_follows_when_it_goes_on(trouble: Trouble) -> None:
    trouble.machine.pause()
    trouble.another_leads()
    trouble.lasts()
    trouble.machine.go_on()

    successor = trouble.cluster.leader()
    trouble.cluster.is_well()
    assert trouble.cluster.leader() == successor
    trouble.every_fire_ends()


def test_a_leader_that_only_the_hosts_cannot_reach_goes_on_leading(trouble: Trouble) -> None:
    trouble.machine.cut(*trouble.others)
    trouble.lasts(QUIET_S)
    trouble.machine.heal()

    trouble.cluster.is_well()
    trouble.nobody_else_led()
    trouble.every_fire_ends()


def test_a_leader_that_only_kafka_cannot_reach_is_replaced(trouble: Trouble) -> None:
    trouble.machine.cut(trouble.kafka)
    trouble.another_leads()
    trouble.lasts()
    trouble.machine.heal()

    trouble.cluster.is_well()
    trouble.every_fire_ends()


def test_a_leader_that_is_cut_off_from_all_is_replaced(trouble: Trouble) -> None:
    trouble.machine.cut_off()
    trouble.another_leads()
    trouble.lasts()
    trouble.machine.heal()

    trouble.cluster.is_well()
    trouble.every_fire_ends()


@pytest.mark.parametrize("way", [Way.TO_IT, Way.FROM_IT], ids=["deaf", "mute"])
def test_a_leader_that_is_deaf_or_mute_to_hosts_goes_on_leading(trouble: Trouble, way: Way) -> None:
    trouble.machine.cut(*trouble.others, way=way)
    trouble.lasts(QUIET_S)
    trouble.machine.heal()

    trouble.cluster.is_well()
    trouble.nobody_else_led()
    trouble.every_fire_ends()


@pytest.mark.parametrize("way", [Way.TO_IT, Way.FROM_IT], ids=["deaf", "mute"])
def test_a_leader_that_is_deaf_or_mute_to_kafka_is_replaced(trouble: Trouble, way: Way) -> None:
    trouble.machine.cut(trouble.kafka, way=way)
    trouble.another_leads()
    trouble.lasts()
    trouble.machine.heal()

    trouble.cluster.is_well()
    trouble.every_fire_ends()


def test_a_leader_whose_wire_flaps_each_second_doubles_nothing(trouble: Trouble) -> None:
    until = time.monotonic() + FLAPPING_S
    while time.monotonic() < until:
        trouble.machine.cut_off()
        trouble.lasts(1.0)
        trouble.machine.heal()
        trouble.lasts(1.0)

    trouble.cluster.is_well()
    trouble.every_fire_ends()


def test_a_scheduler_that_is_frozen_under_a_living_supervisor_is_replaced(
    trouble: Trouble,
) -> None:
    frozen = trouble.cluster.actor(trouble.leader, "scheduler")

    os.kill(frozen, signal.SIGSTOP)
    trouble.another_leads()
    trouble.lasts()
    os.kill(frozen, signal.SIGCONT)

    trouble.cluster.is_well()
    trouble.every_fire_ends()


def test_a_top_ranked_host_without_kafka_leaves_the_lead_to_the_next(trouble: Trouble) -> None:
    top = max(name for name in trouble.cluster.hosts if name != trouble.leader)
    trouble.cluster.machine(top).cut(trouble.kafka)
    trouble.lasts(4.0)  # it has noticed
    trouble.since = datetime.now(UTC)

    trouble.machine.pause()
    trouble.another_leads()
    trouble.lasts()
    successor = trouble.cluster.leader()

    assert successor not in (top, trouble.leader)
    trouble.machine.go_on()
    trouble.cluster.machine(top).heal()
    trouble.cluster.is_well()
    assert trouble.cluster.leader() == successor
    trouble.every_fire_ends()


Fault = Callable[[Cluster, str], None]


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(
            lambda cluster, name: cluster.machine(name).cut_off(),
            id="cut off",
            marks=pytest.mark.skipif(not LONG, reason="the long form; a pause is the harder case"),
        ),
        pytest.param(lambda cluster, name: cluster.machine(name).pause(), id="paused"),
    ],
)
def test_an_exclusive_run_of_a_host_that_vanished_is_over_before_another_begins(
    trouble: Trouble, fault: Fault
) -> None:
    cluster = trouble.cluster
    run = cluster.kirby.json("run", "loaf")["run"]
    first = eventually(lambda: cluster.witness.entries("ticks", of=run), what="it has begun")[0]

    fault(cluster, first.host)
    again = eventually(
        lambda: [e for e in cluster.witness.began(run) if e.attempt > first.attempt],
        what="another host has begun it anew",
        every_s=0.5,
    )[0]
    cluster.machine(first.host).go_on()
    cluster.machine(first.host).heal()
    cluster.is_well()
    cluster.kirby("cancel", run).well()

    overlap = checkers.overlaps(cluster.witness, run)
    print(f"it overlapped by {[str(each[2]) for each in overlap]}")
    assert again.host != first.host

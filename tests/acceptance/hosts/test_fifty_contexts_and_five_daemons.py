"""Fifty contexts and five daemons on three hosts: a fourth joins, leaders' hosts are killed, and

the fourth is drained and leaves.

KIRBY_STORY_SECONDS says how long each of three acts lasts together (default 60), KIRBY_STORY_KILLS
how often the host of the leader is killed in the third, whatever time that takes (default 2);
KIRBY_STORY_SEED repeats a story.
"""

import os
import random
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from kirby.core.nouns import RunEnd
from kirby.core.records import Claim, Ended
from tests.acceptance.hosts.conftest import healing
from tests.stories.cluster import checkers
from tests.stories.cluster.checkers import Killing
from tests.stories.cluster.cluster import Cluster
from tests.stories.fifty import Planned, plan_fifty
from tests.stories.jobs import servant
from tests.stories.patience import eventually
from tests.stories.schedules import due_instants
from tests.stories.witness import Entry

SECONDS = float(os.environ.get("KIRBY_STORY_SECONDS", "60"))
KILLS = int(os.environ.get("KIRBY_STORY_KILLS", "2"))
SEED = int(os.environ.get("KIRBY_STORY_SEED") or random.SystemRandom().randrange(10**6))
ACT_S = SECONDS / 3
AFTERWARDS = timedelta(seconds=2)  # the last fires of the story may still be on their way
JUDGED = 10  # kills from which the figures say something
SLOWEST_FAILOVER_S = 5.0 if KILLS >= JUDGED else 10.0  # others may use the machine, too
MEDIAN_FAILOVER_S = 2.0 if KILLS >= JUDGED else 10.0
NEVER = datetime.max.replace(tzinfo=UTC)
FAIR = 0.5  # of an equal share is the least that a host has

pytestmark = pytest.mark.timeout(SECONDS + 45 * KILLS + 300)

DAEMONS = {
    "everywhere": servant(),
    "on-two": servant(hosts=2),
    "on-one": servant(hosts=1),
    "on-beta": servant(hosts=["beta"]),
    "on-two-named": servant(hosts=["alpha", "gamma"]),
}


@dataclass(kw_only=True)
class Story:
    """What was planned, and all that came of it."""

    cluster: Cluster
    fifty: tuple[Planned, ...]
    since: datetime
    second_act: datetime = NEVER
    joined: datetime = NEVER
    third_act: datetime = NEVER
    left: datetime = NEVER
    until: datetime = NEVER
    held_when_it_left: set[str] = field(default_factory=set)
    kills: list[Killing] = field(default_factory=list)
    failovers_s: list[float] = field(default_factory=list)
    usurpers: list[str] = field(default_factory=list)

    def due(self, planned: Planned) -> list[datetime]:
        """Return what is due in the story and not suspended."""
        due = due_instants(planned.lines, self.since, self.until)
        return [each for each in due if not planned.rests(each)]

    def began(self, since: datetime, until: datetime) -> list[Entry]:
        """Return the scheduled runs that began in a stretch of the story."""
        began = self.cluster.witness.began()
        return [e for e in began if e.due is not None and since < e.due <= until]

    def killed_holders(self) -> set[str]:
        """Return the runs that a host held when it was killed, or just claimed."""
        claims = list(self.cluster.log.read().of(Claim))
        ended = {str(end.run): at for at, end in self.cluster.log.of(Ended)}
        return {
            str(claim.run)
            for at, claim in claims
            for kill in self.kills
            if claim.host == kill.host and at <= kill.at <= ended.get(str(claim.run), NEVER)
        }

    # -- the acts

    def a_fourth_host_joins(self) -> None:
        self.second_act = datetime.now(UTC)
        self.cluster.kirby("drain", "delta", "--undo")  # where the story is told again
        self.cluster.start_host("delta")
        eventually(lambda: "delta" in self.cluster.heartbeats(), what="delta has joined")
        eventually(
            lambda: "everywhere/prod#delta" in self.instances(),
            what="delta has its daemon",
            within_s=180,
        )
        eventually(
            lambda: [e for e in self.cluster.witness.began() if e.host == "delta" and e.due],
            what="delta has its share of runs",
        )
        self.joined = datetime.now(UTC)

    def the_leaders_host_is_killed_and_comes_back(self) -> None:
        leader = self.cluster.leader()
        killing = Killing(host=leader, at=datetime.now(UTC))
        self.cluster.kill(leader)
        self.kills.append(killing)
        taken = eventually(
            lambda: checkers.led(self.cluster.log, killing.at),
            what="another leads",
            every_s=0.05,
        )
        self.failovers_s.append((taken[0][0] - killing.at).total_seconds())
        self.cluster.start_host(leader)
        eventually(
            lambda: self.cluster.heartbeats()[leader].sent > killing.at,
            what=f"{leader} is back",
            every_s=0.3,
        )
        self.cluster.is_well()
        led = [record.host for _, record in checkers.led(self.cluster.log, killing.at)]
        self.usurpers += [host for host in led if host == leader]

    def a_host_is_drained_and_leaves(self) -> None:
        """Take the fourth host out again, as the page says."""
        self.cluster.kirby("drain", "delta", "--wait").well()
        self.left = datetime.now(UTC)
        self.held_when_it_left = {held.run for held in self.cluster.heartbeats()["delta"].held}
        self.cluster.leaves("delta")

    def instances(self) -> set[str]:
        """Return the daemons' instances that hosts say they run."""
        return {
            f"{instance.context}#{host}"
            for host, beat in self.cluster.heartbeats().items()
            for instance in beat.instances
            if host in self.cluster.hosts and instance.state.value == "running"
        }


@pytest.fixture(scope="module")
def story(shared_cluster: Cluster) -> Iterator[Story]:
    print(f"KIRBY_STORY_SEED={SEED} KIRBY_STORY_SECONDS={SECONDS:.0f} KIRBY_STORY_KILLS={KILLS}")
    with healing(shared_cluster):
        story = begin(shared_cluster, random.Random(SEED))
        time.sleep(ACT_S)  # the story is about time
        story.a_fourth_host_joins()
        time.sleep(ACT_S)
        story.third_act = datetime.now(UTC)
        for _ in range(KILLS):
            story.the_leaders_host_is_killed_and_comes_back()
        story.a_host_is_drained_and_leaves()
        time.sleep(max(0.0, ACT_S - (datetime.now(UTC) - story.third_act).total_seconds()))
        story.until = datetime.now(UTC) - AFTERWARDS
        eventually(
            lambda: {p.name: left for p in story.fifty if (left := lacking(story, p))},
            what="each due fire has its end",
            until=lambda left: not left,
            every_s=2,
        )
        print("failovers", [round(each, 2) for each in story.failovers_s])
        yield story


def begin(cluster: Cluster, chance: random.Random) -> Story:
    now = datetime.now(UTC).replace(microsecond=0)
    fifty = plan_fifty(chance, now, SECONDS)
    jobs = {
        planned.name: planned.job(
            LASTS=chance.choice((0, 0, 1, 3)), lost=chance.choice(("fail", "retry")), attempts=2
        )
        for planned in fifty
    }
    rests = [planned.suspension() for planned in fifty if planned.suspended]
    cluster.applies({**jobs, **DAEMONS}, suspension=rests)
    return Story(cluster=cluster, fifty=fifty, since=datetime.now(UTC) + timedelta(seconds=3))


def lacking(story: Story, planned: Planned) -> list[datetime]:
    due = due_instants(planned.lines, story.since, story.until)
    return checkers.without_end(story.cluster.log, planned.context, due)


def test_each_due_fire_ran_exactly_once_unless_its_host_was_killed(story: Story) -> None:
    touched = story.killed_holders()

    for planned in story.fifty:
        due = story.due(planned)
        began = [e for e in story.cluster.witness.began(planned.context) if e.due in due]

        spared = sorted(e.due for e in began if e.run not in touched and e.due)
        assert spared == [d for d in due if run_of(planned, d) not in touched], planned


def test_nothing_was_offered_started_or_ended_twice(story: Story) -> None:
    cluster = story.cluster

    assert checkers.doubled(cluster.log, cluster.witness) == {}
    assert checkers.not_by_the_winner(cluster.log, cluster.witness) == []


def test_only_runs_of_killed_hosts_were_lost_and_all_others_succeeded(story: Story) -> None:
    touched = story.killed_holders()
    ends = checkers.ends(story.cluster.log)

    assert checkers.unexcused(story.cluster.log, story.kills) == []
    for planned in story.fifty:
        for due in story.due(planned):
            end = ends[run_of(planned, due)]
            if end.run not in touched:
                assert (end.end, end.attempts) == (RunEnd.SUCCEEDED, 1), end


def test_runs_are_spread_over_all_hosts_by_their_slots(story: Story) -> None:
    is_spread(story.began(story.since, story.second_act), hosts=3)
    is_spread(story.began(story.joined, story.third_act), hosts=4)


def is_spread(began: list[Entry], hosts: int) -> None:
    shares = checkers.spread(began)
    assert len(shares) >= hosts, shares
    assert min(shares.values()) >= FAIR * len(began) / len(shares), shares


def test_the_next_leader_came_soon_and_none_by_force(story: Story) -> None:
    assert max(story.failovers_s) <= SLOWEST_FAILOVER_S
    assert statistics.median(story.failovers_s) <= MEDIAN_FAILOVER_S
    assert story.usurpers == []


def test_each_daemon_runs_where_it_should(story: Story) -> None:
    def placed() -> dict[str, list[str]]:
        found: dict[str, list[str]] = {name: [] for name in DAEMONS}
        for instance in sorted(story.instances()):
            context, _, host = instance.partition("#")
            found.setdefault(context.removesuffix("/prod"), []).append(host)
        return found

    def right(found: dict[str, list[str]]) -> bool:
        return (
            found["everywhere"] == sorted(story.cluster.hosts)
            and (len(found["on-two"]), len(found["on-one"])) == (2, 1)
            and found["on-beta"] == ["beta"]
            and found["on-two-named"] == ["alpha", "gamma"]
        )

    eventually(placed, what="each daemon is where it should be", until=right, every_s=1)


def test_a_drained_host_left_with_nothing_and_took_nothing_more(story: Story) -> None:
    after = [e for e in story.cluster.witness.began() if e.host == "delta" and e.at > story.left]

    assert story.held_when_it_left == set()
    assert after == []


def run_of(planned: Planned, due: datetime) -> str:
    return f"{planned.context}@{due:%Y-%m-%dT%H:%M:%SZ}"

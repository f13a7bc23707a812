"""Many fires in one second over three hosts with ten slots each, and an hour to start them in.

KIRBY_STORY_FIRES says how many (default 150).
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from kirby.core.nouns import RunEnd
from tests.acceptance.hosts.conftest import healing
from tests.stories.cluster import checkers
from tests.stories.cluster.cluster import Cluster
from tests.stories.jobs import errand
from tests.stories.patience import eventually

FIRES = int(os.environ.get("KIRBY_STORY_FIRES", "150"))
EACH_S = 2.0  # of an idle machine it takes a tenth
CLAIMS_PER_RUN = 1.2
FAIR = 0.6  # of an equal share is the least that a host has
GROWTH_BYTES = 64 * 1024 * 1024  # of one process of a host

pytestmark = pytest.mark.timeout(300 + EACH_S * FIRES)


@dataclass(frozen=True, kw_only=True)
class Burst:
    """All that came of it."""

    cluster: Cluster
    runs: frozenset[str]
    growth: int


@pytest.fixture(scope="module")
def burst(shared_cluster: Cluster) -> Iterator[Burst]:
    cluster = shared_cluster
    with healing(cluster):
        due = (datetime.now(UTC) + timedelta(seconds=45 + 0.1 * FIRES)).replace(microsecond=0)
        cron = f"{due.second} {due.minute} {due.hour} * * *"
        jobs = {
            f"loaf-{n:04}": errand("succeed", cron, start_window="1 h", catch_up="all")
            for n in range(FIRES)
        }
        runs = frozenset(f"{name}/prod@{due:%Y-%m-%dT%H:%M:%SZ}" for name in jobs)
        before = memory(cluster)
        cluster.applies(jobs)
        assert datetime.now(UTC) < due, "to apply the document took too long for this story"
        growth = 0

        def ended() -> int:
            nonlocal growth
            growth = max(growth, *grown(before, memory(cluster)), 0)
            return len(runs & checkers.ends(cluster.log).keys())

        eventually(
            ended,
            what="all have ended",
            until=lambda n: n == FIRES,
            within_s=90 + EACH_S * FIRES,
            every_s=1,
        )
        yield Burst(cluster=cluster, runs=runs, growth=growth)


def memory(cluster: Cluster) -> dict[int, int]:
    """Return what each process of Kirby's own on the hosts has in memory; scripts are not its."""
    found = {}
    for host in cluster.hosts.values():
        start = psutil.Process(host.status()["pid"])
        for process in [start, *start.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.cmdline() == start.cmdline():
                    found[process.pid] = process.memory_info().rss
    return found


def grown(before: dict[int, int], now: dict[int, int]) -> list[int]:
    return [bytes_ - before[pid] for pid, bytes_ in now.items() if pid in before]


def test_all_of_them_ran_and_none_twice(burst: Burst) -> None:
    cluster = burst.cluster
    ends = checkers.ends(cluster.log)
    began = [entry.run for entry in cluster.witness.began() if entry.run in burst.runs]

    assert {ends[run].end for run in burst.runs} == {RunEnd.SUCCEEDED}
    assert sorted(began) == sorted(burst.runs)
    assert checkers.doubled(cluster.log, cluster.witness) == {}


def test_they_were_spread_evenly(burst: Burst) -> None:
    shares = checkers.spread(e for e in burst.cluster.witness.began() if e.run in burst.runs)

    print("shares", shares)
    assert shares.keys() == burst.cluster.hosts.keys()
    assert min(shares.values()) >= FAIR * FIRES / len(shares)


def test_hardly_any_was_claimed_twice(burst: Burst) -> None:
    claims = checkers.claims_per_run(burst.cluster.log, burst.runs)

    print(f"{claims:.3f} claims for each run")
    assert claims < CLAIMS_PER_RUN


def test_no_process_of_a_host_grew_without_bound(burst: Burst) -> None:
    print(f"the most that a process grew by is {burst.growth / 1e6:.1f} MB")
    assert burst.growth < GROWTH_BYTES

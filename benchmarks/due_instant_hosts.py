"""How late is the first line of scripts that three hosts share? Beside one host, in the same run.

    python -m benchmarks.due_instant_hosts [--rounds 4] [--runs 30]

Runs are due together, again and again: first three hosts share them, then two are taken away and
the third has them all. The hosts of this benchmark share the cores of one machine, so three can be
no faster than one; what is measured is whether to share costs anything at the due instant. Ends
with status 1 if it costs more than LIMIT times, at the median.
"""

import argparse
import sys
import time
from collections.abc import Collection
from datetime import UTC, datetime

from benchmarks._cluster import a_cluster, told
from kirby.core.records import FirstLine, Offer
from tests.stories.cluster.cluster import Cluster
from tests.stories.jobs import errand
from tests.stories.patience import eventually

LIMIT = 2.0
EVERY_S = 10
US_PER_MS = 1000.0


def late_ms(cluster: Cluster, since: datetime, rounds: int, runs: int) -> list[float]:
    """Return how late the first line of each run was, of so many rounds since then."""
    lines = eventually(
        lambda: first_lines(cluster, since),
        what="all have told of their first line",
        until=lambda found: len(found) >= rounds * runs,
        within_s=rounds * EVERY_S + 90,
        every_s=1,
    )
    return [line.late_us / US_PER_MS for line in lines]


def first_lines(cluster: Cluster, since: datetime) -> list[FirstLine]:
    due = {str(offer.run) for _, offer in cluster.log.read().of(Offer) if offer.due > since}
    return [line for _, line in cluster.log.of(FirstLine) if line.run in due]


def hosts_of(cluster: Cluster, since: datetime) -> Collection[str]:
    return {line.host for line in first_lines(cluster, since)}


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the first line over three hosts.")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--runs", type=int, default=30, help="due at one instant")
    given = parser.parse_args()
    with a_cluster(slots=given.runs * 2) as cluster:
        names = (f"loaf-{number:02}" for number in range(given.runs))
        cluster.applies({name: errand("succeed", f"*/{EVERY_S} * * * * *") for name in names})
        eventually(
            lambda: hosts_of(cluster, datetime.fromtimestamp(0, UTC)),
            what="all hosts have their share",
            until=lambda hosts: len(hosts) == len(cluster.hosts),
            within_s=120,
            every_s=1,
        )
        three = late_ms(cluster, since := datetime.now(UTC), given.rounds, given.runs)
        shared = hosts_of(cluster, since)
        for name in list(cluster.hosts):
            if name != cluster.leader():
                cluster.kill(name)
                del cluster.hosts[name]
        time.sleep(25)  # until the others count as lost, and are named no more
        one = late_ms(cluster, datetime.now(UTC), given.rounds, given.runs)
    print(f"{given.runs} due at one instant, {given.rounds} rounds")
    ratio = told(f"over {len(shared)} hosts", three, "ms") / told("on one host", one, "ms")
    print(f"  {ratio:.2f} times as late (at most {LIMIT})")
    return 0 if ratio <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())

"""How long until a host that joins works with the others? Beside the same host, alone.

    python -m benchmarks.joining [--rounds 5]

In turns, one after the other, with its environments built already:

- `joins`: a host of a cluster of three is killed and started: until all others hear it and it may
  claim
- `alone`: what any program of the kind takes on this machine at this moment: a Python that imports
  what a host imports, and asks the same Kafka for its topics

Ends with status 1 if to join takes more than LIMIT times that and the SLACK in which hosts meet.
"""

import argparse
import subprocess
import sys
import time

from benchmarks._cluster import a_cluster, told
from kirby.core.records import Heartbeat
from tests.stories.cluster.cluster import Cluster
from tests.stories.patience import eventually

LIMIT = 6.0  # start process, admin, Supervisor, four actors and the shim: one imports for them all
SLACK_S = 3.0 + 1.0  # hosts present themselves each 3 s; a pulse
BARE = """
import sys, kirby.actors.system, kirby.actors.scheduler, kirby.actors.runner, kirby.web.app
from confluent_kafka.admin import AdminClient
AdminClient({"bootstrap.servers": sys.argv[1]}).list_topics(timeout=30)
"""


def joins_s(cluster: Cluster, name: str) -> float:
    """Kill a host that does not lead, start it; return how long until it is one of them."""
    cluster.kill(name)
    before = len(of_host(cluster, name))
    begin = time.perf_counter()
    cluster.start_host(name)
    eventually(lambda: len(of_host(cluster, name)) > before, what=f"{name} beats", every_s=0.05)
    cluster.is_well()
    return time.perf_counter() - begin


def of_host(cluster: Cluster, name: str) -> list[Heartbeat]:
    return [beat for _, beat in cluster.log.read().of(Heartbeat) if beat.host == name]


def alone_s(cluster: Cluster, name: str) -> float:
    """Return what a bare program takes on the same machine."""
    inside = cluster.machine(name).inside
    begin = time.perf_counter()
    subprocess.run([*inside, sys.executable, "-c", BARE, cluster.kafka.bootstrap], check=True)
    return time.perf_counter() - begin


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure how long a host takes to join.")
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    with a_cluster() as cluster:
        joined, alone = [], []
        for _ in range(given.rounds):
            name = next(each for each in cluster.hosts if each != cluster.leader())
            joined.append(joins_s(cluster, name))
            alone.append(alone_s(cluster, name))
    median, limit = told("joins", joined), told("alone", alone)
    allowed = LIMIT * limit + SLACK_S
    print(
        f"  {median / limit:.1f} times; at most {LIMIT:g} times and {SLACK_S:g} s: {allowed:.1f} s"
    )
    return 0 if median <= allowed else 1


if __name__ == "__main__":
    sys.exit(main())

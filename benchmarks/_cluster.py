"""The cluster that benchmarks of several hosts use: that of the stories, where it can be made."""

import os
import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.stories.cluster.cluster import Cluster
from tests.stories.cluster.machines import can_make_machines

HOSTS = ("alpha", "beta", "gamma")


def refuse_without_machines() -> None:
    """End with a sentence where no network namespaces can be made; that is no missed limit."""
    if not can_make_machines():
        print("left out: hosts with networks of their own need root, ip, iptables and ss")
        raise SystemExit(0)


@contextmanager
def a_cluster(
    *, slots: int = 10, before: Callable[[Cluster], None] = lambda _: None
) -> Iterator[Cluster]:
    """Start three hosts with Kafka, PostgreSQL and web service; leave nothing behind.

    Args:
        slots: of each host.
        before: done when Kafka and PostgreSQL run, and no host yet.
    """
    refuse_without_machines()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}", flush=True)
    with tempfile.TemporaryDirectory(prefix="kirby-bench-", ignore_cleanup_errors=True) as folder:
        cluster = Cluster(Path(folder), slots=slots)
        try:
            before(cluster)
            yield cluster.begin(*HOSTS)
        finally:
            cluster.clean_up()


def told(name: str, samples: Sequence[float], unit: str = "s", digits: int = 2) -> float:
    """Print a distribution; return its median."""
    ordered = sorted(samples)
    median = statistics.median(ordered)
    p90 = ordered[int(0.9 * (len(ordered) - 1))]
    print(
        f"  {name:<38} median {median:8.{digits}f} {unit}   90 % {p90:8.{digits}f} {unit}   "
        f"most {ordered[-1]:8.{digits}f} {unit}   ({len(ordered)})",
        flush=True,
    )
    return median

"""One cluster for all stories of hosts: three hosts with ten slots each, left well by each story.

`make stories-of-hosts` runs them; they need root. Environment variables make them longer:
KIRBY_STORY_SECONDS, KIRBY_STORY_KILLS, KIRBY_STORY_FIRES, KIRBY_STORY_LONG=1 (faults of the
length that an operator would fear), and KIRBY_STORY_SEED repeats a story.
"""

import contextlib
from collections.abc import Iterator

import pytest

from tests.stories.cluster.cluster import Cluster
from tests.stories.cluster.machines import can_make_machines

HOSTS = ("alpha", "beta", "gamma")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark all stories of this folder, and skip them where no machines can be made."""
    for item in items:
        if item.path.is_relative_to(__file__.rpartition("/")[0]):
            item.add_marker(pytest.mark.acceptance)
            if not can_make_machines():
                reason = "needs root and the programs ip, iptables and ss"
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(scope="session")
def shared_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Give the cluster of all stories; a story that starts takes `cluster`."""
    cluster = Cluster(tmp_path_factory.mktemp("hosts"))
    try:
        yield cluster.begin(*HOSTS)
    finally:
        cluster.clean_up()


@pytest.fixture
def cluster(shared_cluster: Cluster) -> Iterator[Cluster]:
    """Give the cluster, whole and well; heal it afterwards."""
    with healing(shared_cluster):
        yield shared_cluster


@contextlib.contextmanager
def healing(cluster: Cluster) -> Iterator[None]:
    """Insist that all is well, and make it so again afterwards."""
    cluster.is_well()
    try:
        yield
    finally:
        cluster.heals()

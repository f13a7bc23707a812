"""Hosts with addresses of their own: the leader is cut off, another leads, and all heals."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from kirby.core.errors import ExitCode
from tests.builders.cluster import refused
from tests.builders.network import NetworkedCluster, can_make_networks
from tests.stories.patience import eventually

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not can_make_networks(), reason="needs root and the program ip"),
]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NetworkedCluster]:
    with pytest.MonkeyPatch.context() as patch:
        cluster = NetworkedCluster(tmp_path_factory.mktemp("networks"), patch)
        try:
            yield cluster.start()
        finally:
            cluster.clean_up()


def test_hosts_of_several_networks_meet(cluster: NetworkedCluster) -> None:
    cluster.settles()

    eventually(lambda: cluster.hears("gamma") == {"alpha", "beta"}, what="gamma hears the others")


def test_each_host_listens_on_its_own_address_only(cluster: NetworkedCluster) -> None:
    for name, address in cluster.network.addresses.items():
        command = [*cluster.network.inside(name), "ss", "-ltnH"]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout

        listens = {line.split()[3].rpartition(":")[0] for line in said.splitlines()}
        assert listens == {address}


def test_on_loopback_this_machine_does_not_join_them(
    cluster: NetworkedCluster, tmp_path: Path
) -> None:
    code, _ = refused(tmp_path, ("--convention-leader", cluster.meeting_place))

    assert code == ExitCode.JOIN_FROM_LOOPBACK


def test_a_leader_that_is_cut_off_is_replaced_and_follows_when_it_is_back(
    cluster: NetworkedCluster,
) -> None:
    first = cluster.settles()
    left = [name for name in cluster.hosts if name != first]

    cluster.network.cut_off(first)
    successor = cluster.settles(*left)
    eventually(lambda: cluster.stances(first)[first] == "following", what=f"{first} stands down")
    cluster.network.heal(first)
    cluster.have_met()

    assert cluster.settles() == successor


def test_while_the_leader_is_there_cutting_off_another_changes_nothing(
    cluster: NetworkedCluster,
) -> None:
    leader = cluster.settles()
    epoch = cluster.epoch_by(leader)
    other = next(name for name in cluster.hosts if name != leader)

    cluster.network.cut_off(other)
    eventually(lambda: other not in cluster.hears(leader), what=f"{leader} hears {other} no more")
    cluster.network.heal(other)
    cluster.have_met()

    assert cluster.settles() == leader
    assert cluster.epoch_by(leader) == epoch

"""Three hosts on one machine meet, share a Kafka, elect a leader, and replace it when it dies."""

import itertools
import secrets
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest

from kirby.actors.joining import joined
from kirby.core.configuration import HostConfiguration
from kirby.core.configuration_fields import Endpoint
from kirby.core.errors import ExitCode
from kirby.core.names import Host
from kirby.host.state import StateFolder
from kirby.kafka import embedded
from tests.builders.cluster import Cluster, give_key, refused
from tests.stories.host import free_port
from tests.stories.jobs import errand
from tests.stories.patience import eventually

pytestmark = pytest.mark.integration

EVERY_TWO_SECONDS = "*/2 * * * * *"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        yield cluster.start()
    finally:
        cluster.clean_up()


def foreign_address() -> str:
    """Return an address at which other machines reach this one."""
    addresses = itertools.chain.from_iterable(psutil.net_if_addrs().values())
    found = [a.address for a in addresses if a.family is socket.AF_INET]
    foreign = [address for address in found if not address.startswith("127.")]
    if not foreign:
        pytest.skip("this machine has loopback addresses only")
    return foreign[0]


@dataclass(frozen=True, kw_only=True)
class Comer:
    """A host that would join; with the key unless told otherwise."""

    cluster: Cluster
    state: Path

    def has_the_key(self) -> "Comer":
        give_key(self.cluster.first.state, self.state)
        return self

    def is_refused(
        self, *flags: str, name: str = "delta", at: str = "", version: str = ""
    ) -> tuple[int, str]:
        place = at or self.cluster.meeting_place
        port = str(free_port("127.0.0.1"))
        given = ("--name", name, "--port", port, "--convention-leader", place, *flags)
        return refused(self.state, given, version=version)


@pytest.fixture
def comer(cluster: Cluster, tmp_path: Path) -> Comer:
    return Comer(cluster=cluster, state=tmp_path / "state")


def test_all_hosts_see_each_other_and_one_leads(cluster: Cluster) -> None:
    leader = cluster.settles()

    for of in cluster.hosts.values():
        seen = eventually(
            lambda of=of: {  # type: ignore[misc]
                host["host"]: host["leads"] for host in of.kirby.json("hosts")["hosts"]
            },
            until=lambda hosts: [name for name, leads in hosts.items() if leads] == [leader],
            what=f"{of.name} sees that {leader} leads",
        )
        assert set(seen) == {"alpha", "beta", "gamma"}


@pytest.mark.parametrize(
    ("name", "services"),
    [("alpha", ["Kafka", "shim", "web service"]), ("beta", ["shim"]), ("gamma", ["shim"])],
)
def test_the_first_runs_kafka_and_web_service_and_the_others_do_not(
    cluster: Cluster, name: str, services: list[str]
) -> None:
    status = eventually(cluster.hosts[name].seen, what=f"{name} answers")

    assert status is not None
    assert [service["name"] for service in status["services"]] == services


def test_without_the_clusters_key_a_host_is_refused(comer: Comer) -> None:
    code, said = comer.is_refused()

    assert code == ExitCode.KEY_MISSING
    assert "'kirby key take --state" in said
    assert not (comer.state / "key").exists()


def test_with_another_key_a_host_is_refused(comer: Comer) -> None:
    comer.state.mkdir()
    (comer.state / "key").write_text(secrets.token_hex(32))
    (comer.state / "key").chmod(0o600)

    code, said = comer.is_refused()

    assert code == ExitCode.KEY_DIFFERS
    assert "does not take this host's key" in said


def test_with_a_name_that_is_in_use_a_host_is_refused(comer: Comer) -> None:
    code, said = comer.has_the_key().is_refused(name="beta")

    assert code == ExitCode.NAME_IN_USE
    assert said.startswith('a host named "beta" is there already, at 127.0.0.2:')


def test_with_an_incompatible_version_a_host_is_refused(comer: Comer) -> None:
    code, said = comer.has_the_key().is_refused(version="7.0.0")

    assert code == ExitCode.VERSION_DIFFERS
    assert "this is Kirby 7.0.0" in said


def test_from_loopback_a_host_does_not_join_another_machine(comer: Comer) -> None:
    code, said = comer.has_the_key().is_refused(at="192.0.2.1:8641")

    assert code == ExitCode.JOIN_FROM_LOOPBACK
    assert "192.0.2.1:8641 cannot reach this one on 127.0.0.1" in said


def test_where_nobody_answers_a_host_is_refused(comer: Comer) -> None:
    place = f"127.0.0.1:{free_port('127.0.0.1')}"

    code, said = comer.has_the_key().is_refused(at=place)

    assert code == ExitCode.CONVENTION_UNREACHABLE
    assert place in said


def test_a_host_that_needs_nothing_of_the_others_starts_though_nobody_answers(
    comer: Comer,
) -> None:
    comer.has_the_key()
    place = Endpoint(host="127.0.0.1", port=free_port("127.0.0.1"))
    given = HostConfiguration(
        name=Host("delta"),
        state=str(comer.state),
        port=free_port("127.0.0.1"),
        convention_leader=place,
        kafka="127.0.0.1:9",
        web_urls=("http://127.0.0.1:9",),
    )
    said: list[str] = []

    configuration = joined(given, StateFolder(path=comer.state), said.append)

    assert configuration == given
    assert f"no host of Kirby answers at {place}" in said[0]


def test_with_another_clusters_kafka_a_host_is_refused(comer: Comer, tmp_path: Path) -> None:
    other = embedded.ensure(tmp_path / "kafka")
    try:
        code, said = comer.has_the_key().is_refused("--kafka", other)
    finally:
        embedded.stop(tmp_path / "kafka")

    assert code == ExitCode.OTHER_KAFKA
    assert f"the Kafka at {other}" in said


def test_with_an_embedded_kafka_that_it_cannot_reach_a_host_is_refused(comer: Comer) -> None:
    address = foreign_address()

    code, said = comer.has_the_key().is_refused("--address", address)

    assert code == ExitCode.EMBEDDED_KAFKA_ALONE
    assert "answers on its own machine only" in said


def test_every_refusal_is_one_sentence_on_one_line(comer: Comer) -> None:
    _, said = comer.has_the_key().is_refused(name="beta")

    assert len(said.splitlines()) == 1


def test_when_the_leader_dies_another_leads_and_firing_goes_on(cluster: Cluster) -> None:
    cluster.first.publishes("errand.py")
    cluster.first.applies({"clock": errand("succeed", EVERY_TWO_SECONDS)})
    eventually(lambda: len(cluster.witness.began("clock/prod")) >= 3, what="the clock fires")
    first = cluster.settles()
    left = [name for name in cluster.hosts if name != first]

    cluster.kill_host(first)
    cluster.settles(*left)
    led = datetime.now(UTC)

    def fired_since() -> bool:
        dues = [entry.due for entry in cluster.witness.began("clock/prod")]
        return sum(due is not None and due > led for due in dues) >= 3

    eventually(fired_since, what="the clock fires under the new leader")
    assert cluster.witness.twice() == {}


def test_when_it_comes_back_hosts_meet_again_and_the_leader_stays(cluster: Cluster) -> None:
    (gone,) = [name for name, host in cluster.hosts.items() if not host.runs_now]
    leader = cluster.settles(*(name for name in cluster.hosts if name != gone))
    epoch = cluster.epoch_by(leader)

    cluster.hosts[gone].begin()
    cluster.have_met()
    leads = cluster.settles()

    assert (leads, cluster.epoch_by(leader)) == (leader, epoch)
    assert cluster.epoch_by(gone) == epoch

"""What a host that joins others is refused, and what it shares with them."""

import pytest

from kirby.core import joining
from kirby.core.configuration_fields import Endpoint
from kirby.core.errors import (
    EmbeddedKafkaAlone,
    InvalidConfiguration,
    JoinFromLoopback,
    NameInUse,
    OtherKafka,
    VersionDiffers,
)
from kirby.core.names import StateFolderId
from tests.builders.joining import introduction, joining_host

FOREIGN = Endpoint(host="10.0.0.1", port=8641)
OWN = StateFolderId("folder of beta")


def test_a_host_that_names_itself_joins_nobody():
    assert not joining.joins_another(joining_host(port=8641))
    assert not joining.joins_another(joining_host(convention_leader=None))
    assert joining.joins_another(joining_host())


def test_a_host_on_loopback_does_not_join_another_machine():
    with pytest.raises(JoinFromLoopback, match=r"10\.0\.0\.1:8641 cannot reach this one on 127"):
        joining.check_address(joining_host(convention_leader=FOREIGN))


def test_several_hosts_of_one_machine_may_join_each_other_on_loopback():
    joining.check_address(joining_host(address="127.0.0.2"))


def test_a_name_that_is_in_use_is_refused_with_where():
    present = [introduction("beta", folder="another", listens="127.0.0.1:8999")]

    with pytest.raises(NameInUse, match=r'"beta" is there already, at 127\.0\.0\.1:8999'):
        joining.check_name(joining_host("beta"), OWN, present)


def test_a_host_that_was_just_restarted_may_have_its_own_name():
    joining.check_name(joining_host("beta"), OWN, [introduction("beta")])


def test_another_clusters_kafka_is_refused():
    configuration = joining_host(kafka="127.0.0.1:9999")

    with pytest.raises(OtherKafka, match=r"give --kafka 127\.0\.0\.1:9092"):
        joining.check_kafka(configuration, "two", [introduction(kafka_cluster="one")])


def test_the_same_kafka_may_be_reached_at_another_address():
    configuration = joining_host(kafka="127.0.0.5:9999")

    joining.check_kafka(configuration, "one", [introduction(kafka_cluster="one")])


def test_on_loopback_kafka_and_web_service_of_the_first_are_shared():
    shared = joining.sharing(joining_host(), [introduction()])

    assert shared.kafka == "127.0.0.1:9092"
    assert shared.web_urls == ("http://127.0.0.1:8642",)


def test_what_a_host_names_itself_stays():
    given = joining_host(kafka="127.0.0.5:9", web_urls=("http://x:1",))

    assert joining.sharing(given, [introduction()]) == given


def test_a_kafka_that_others_cannot_reach_is_refused():
    with pytest.raises(EmbeddedKafkaAlone, match="answers on its own machine only"):
        joining.sharing(joining_host(address="10.0.0.2"), [introduction()])


def test_a_host_does_not_start_a_kafka_where_the_others_have_one():
    with pytest.raises(OtherKafka, match="give --kafka k1:9092,k2:9092"):
        joining.sharing(joining_host(), [introduction(kafka="k1:9092,k2:9092")])


def test_a_web_service_that_others_cannot_reach_is_told():
    configuration = joining_host(address="10.0.0.2", kafka="k1:9092")

    with pytest.raises(InvalidConfiguration, match="--web-listen"):
        joining.sharing(configuration, [introduction(kafka="k1:9092")])


@pytest.mark.parametrize(
    ("one", "other", "fits"),
    [
        ("0.1.0", "0.1.7", True),
        ("0.1.0", "0.2.0", False),
        ("1.2.0", "1.9.3", True),
        ("1.9.0", "2.0.0", False),
    ],
)
def test_before_version_one_the_minor_counts_and_then_the_major(one, other, fits):
    assert joining.are_compatible(one, other) is fits


def test_an_incompatible_version_is_refused_with_both():
    with pytest.raises(VersionDiffers, match=r"Kirby 0\.2\.0, and alpha .* runs 0\.1\.0"):
        joining.check_version("0.2.0", [introduction(version="0.1.0")])

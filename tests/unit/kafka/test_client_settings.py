"""How clients are set up: what must never be left out."""

import json
import logging
from datetime import timedelta

import pytest

from kirby.core.configuration import HostConfiguration
from kirby.core.names import Host
from kirby.core.records import TopicName
from kirby.kafka.quiet import PERIOD_S, RateLimited
from kirby.kafka.settings import KafkaSettings, settings_of


def settings(prefix: str = ".kirby.") -> KafkaSettings:
    return KafkaSettings(bootstrap="kafka:9092", prefix=prefix, security={"sasl.password": "sugar"})


def test_every_client_is_let_in_finds_a_broker_again_within_a_second_and_is_quiet() -> None:
    made = settings()

    for config in (made.for_reader(), made.for_poster(), made.for_leader(), made.for_admin()):
        assert config["sasl.password"] == "sugar"
        assert config["reconnect.backoff.max.ms"] == 1000
        assert config["allow.auto.create.topics"] is False
        assert {"logger", "error_cb"} <= set(config)


def test_a_reader_reads_committed_records_to_an_end_and_never_jumps() -> None:
    config = settings().for_reader()

    assert config["isolation.level"] == "read_committed"
    assert config["enable.partition.eof"] is True
    assert config["auto.offset.reset"] == "error"
    assert config["enable.auto.commit"] is False


def test_writers_wait_for_all_replicas_and_find_the_same_partition_for_a_key() -> None:
    poster, leader = settings().for_poster(timedelta(seconds=2)), settings().for_leader()

    assert poster["acks"] == leader["acks"] == "all"
    assert poster["enable.idempotence"] is leader["enable.idempotence"] is True
    assert poster["partitioner"] == leader["partitioner"]
    assert poster["message.timeout.ms"] == 2000


@pytest.mark.parametrize(
    ("prefix", "name"),
    [(".kirby.", "kirby-scheduler"), (".bakery.", "bakery.kirby-scheduler")],
)
def test_each_installation_has_a_leader_of_its_own(prefix: str, name: str) -> None:
    config = settings(prefix).for_leader()

    assert config["transactional.id"] == name
    assert config["transaction.timeout.ms"] == 10_000


def test_topics_bear_the_prefix_of_the_installation() -> None:
    assert settings(".bakery.").topic(TopicName.CLAIMS) == ".bakery.claims"


def test_a_password_is_not_shown() -> None:
    assert "sugar" not in repr(settings())


def test_scripts_get_the_settings_as_json_text() -> None:
    given = json.loads(settings().for_scripts())

    assert given == {"bootstrap.servers": "kafka:9092", "sasl.password": "sugar"}


def test_a_hosts_configuration_says_all_of_it() -> None:
    configuration = HostConfiguration(
        name=Host("alpha"),
        state="/state",
        kafka="kafka:9092",
        kafka_settings={"security.protocol": "SSL"},
        replication=3,
    )

    made = settings_of(configuration, client="runner")

    assert (made.bootstrap, made.replication, made.client) == ("kafka:9092", 3, "runner@alpha")
    assert made.for_admin()["security.protocol"] == "SSL"


def test_a_flood_of_one_kind_becomes_one_line_in_each_period(
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = [0.0]
    quiet = RateLimited(clock=lambda: now[0])

    for _ in range(20):
        quiet.log(logging.WARNING, "%s [%s] %s", "FAIL", "kirby", "refused")
    quiet.log(logging.WARNING, "%s [%s] %s", "GETPID", "kirby", "loading")
    now[0] = PERIOD_S + 1
    quiet.log(logging.WARNING, "%s [%s] %s", "FAIL", "kirby", "refused")

    assert caplog.messages == [
        "FAIL [kirby] refused",
        "GETPID [kirby] loading",
        "FAIL [kirby] refused (and 19 more of this kind)",
    ]


def test_scripts_with_a_user_of_their_own_get_nothing_by_which_the_host_is_let_in() -> None:
    settings = KafkaSettings(
        bootstrap="k:9093",
        security={
            "security.protocol": "SASL_SSL",
            "ssl.ca.location": "/ca.pem",
            "sasl.username": "kirby",
            "sasl.password": "of-kirby",
            "ssl.key.password": "of-kirby",
        },
        scripts={"sasl.username": "scripts", "sasl.password": "crumbs"},
    )

    told = json.loads(settings.for_scripts())

    assert told == {
        "bootstrap.servers": "k:9093",
        "security.protocol": "SASL_SSL",
        "ssl.ca.location": "/ca.pem",
        "sasl.username": "scripts",
        "sasl.password": "crumbs",
    }
    assert "crumbs" not in repr(settings)

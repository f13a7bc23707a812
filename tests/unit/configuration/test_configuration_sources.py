"""Where a host's settings come from, and what is said of wrong ones."""

import pytest

from kirby.core.configuration import Machine, configure
from kirby.core.configuration_fields import Endpoint
from kirby.core.errors import InvalidConfiguration

MACHINE = Machine(
    hostname="Oven-3.bakery.example", cores=2, memory_bytes=8_000_000_000, state="/var/lib/kirby"
)


def faults_of(**given: object) -> dict[str, str]:
    with pytest.raises(InvalidConfiguration) as refused:
        configure(machine=MACHINE, **given)  # type: ignore[arg-type]
    return {fault.field: fault.sentence for fault in refused.value.faults}


def test_nothing_given_makes_one_host_on_loopback_with_everything_of_its_own() -> None:
    host = configure(machine=MACHINE)

    assert (host.name, host.address, host.slots) == ("oven-3", "127.0.0.1", 8)
    assert (host.kafka, host.web_urls, host.replication) == ("", (), 1)
    assert host.parked_memory_bytes == 1_000_000_000


def test_a_flag_wins_over_the_environment_and_that_over_the_file() -> None:
    host = configure(
        machine=MACHINE,
        flags={"name": "alpha", "slots": None},
        environment={"KIRBY_NAME": "beta", "KIRBY_SLOTS": "3"},
        file={"name": "gamma", "slots": 5, "priority": 7},
    )

    assert (host.name, host.slots, host.priority) == ("alpha", 3, 7)


def test_a_kafka_of_ones_own_brings_its_security_and_three_replicas() -> None:
    host = configure(
        machine=MACHINE,
        file={
            "kafka": {
                "bootstrap": ["k1:9092", "k2:9092"],
                "security_protocol": "SASL_SSL",
                "sasl_password": "crumbs",
            }
        },
    )

    assert host.replication == 3
    assert host.client_settings() == {
        "bootstrap.servers": "k1:9092,k2:9092",
        "security.protocol": "SASL_SSL",
        "sasl.password": "crumbs",
    }
    assert "crumbs" not in repr(host)


def test_all_faults_are_told_at_once_each_at_the_place_where_it_was_written() -> None:
    faults = faults_of(
        flags={"address": "oven"},
        environment={"KIRBY_SLOTS": "many", "KIRBY_SLOT": "4"},
        file={"kafak": {"bootstrap": "k1:9092"}, "port": 70000},
    )

    assert faults == {
        "--address": '"oven" is no IPv4 address: use one of this machine, as digits',
        "KIRBY_SLOTS": "'many' does not fit: use a whole number from 1 to 10000",
        "KIRBY_SLOT": "there is no such setting; did you mean KIRBY_SLOTS?",
        "kafak.bootstrap": "there is no such setting; did you mean kafka.bootstrap?",
        "port": "70000 does not fit: use a whole number from 1 to 65535",
    }


def test_what_belongs_to_scripts_and_to_the_command_line_is_passed_over() -> None:
    host = configure(
        machine=MACHINE, environment={"KIRBY_URL": "http://x", "KIRBY_RUN_ID": "a/b@c", "HOME": "/"}
    )

    assert host.web_urls == ()


def test_several_hosts_of_one_machine_may_join_each_other_on_loopback() -> None:
    host = configure(
        machine=MACHINE,
        file={"convention_leader": "127.0.0.1:8641", "address": "127.0.0.2"},
    )

    assert host.convention_leader == Endpoint(host="127.0.0.1", port=8641)


@pytest.mark.parametrize("address", ["0.0.0.0", "224.0.0.1", "::1", ""])
def test_an_address_must_name_one_interface(address: str) -> None:
    faults = faults_of(file={"address": address})

    assert list(faults) == ["address"]


@pytest.mark.parametrize(
    ("text", "size"), [("512 MB", 512_000_000), ("1 GiB", 2**30), (1000, 1000), ("64kB", 64_000)]
)
def test_sizes_are_written_as_people_write_them(text: object, size: int) -> None:
    host = configure(machine=MACHINE, file={"parked_memory": text})

    assert host.parked_memory_bytes == size


def test_security_without_a_kafka_of_ones_own_is_a_fault() -> None:
    faults = faults_of(file={"kafka": {"sasl_username": "baker"}})

    assert faults == {"kafka.sasl_username": "has no meaning without kafka.bootstrap: add it"}


def test_web_services_are_listed_by_their_addresses() -> None:
    host = configure(machine=MACHINE, flags={"web.urls": "http://a:1/,https://b"})

    assert host.web_urls == ("http://a:1", "https://b")


def test_a_web_address_that_is_none_is_a_fault() -> None:
    faults = faults_of(flags={"web.urls": "a:1"})

    assert faults == {"--web": '"a:1" is no address of a web service: use http://HOST:PORT'}


def test_where_the_embedded_kafka_comes_from_is_no_setting_of_the_host() -> None:
    host = configure(
        machine=MACHINE,
        environment={"KIRBY_CACHE": "/c", "KIRBY_JAVA": "/j", "KIRBY_KAFKA_JARS": "/k"},
    )

    assert host.kafka == ""


def test_a_database_is_named_by_flag_variable_or_file_and_its_password_shows_nowhere() -> None:
    url = "postgresql://kirby:crumbs@db.example/kirby"

    by_file = configure(machine=MACHINE, file={"web": {"database": url}})
    by_variable = configure(machine=MACHINE, environment={"KIRBY_DATABASE": url})
    by_flag = configure(machine=MACHINE, flags={"web.database": url})

    assert {host.database for host in (by_file, by_variable, by_flag)} == {url}
    assert "crumbs" not in repr(by_file)


def test_a_fault_of_a_database_does_not_repeat_its_password() -> None:
    told = faults_of(environment={"KIRBY_DATABASE": "mysql://kirby:crumbs@db.example/kirby"})

    assert "use sqlite:///PATH or postgresql://" in told["KIRBY_DATABASE"]
    assert "crumbs" not in told["KIRBY_DATABASE"]


def test_scripts_may_have_a_user_of_their_own_in_kafka() -> None:
    scripts = {"sasl_username": "scripts", "sasl_password": "crumbs"}
    kafka = {"bootstrap": "k1:9092", "sasl_username": "kirby", "scripts": scripts}

    host = configure(machine=MACHINE, file={"kafka": kafka})

    assert host.kafka_scripts == {"sasl.username": "scripts", "sasl.password": "crumbs"}
    assert host.kafka_settings == {"sasl.username": "kirby"}
    assert "crumbs" not in repr(host)


def test_a_user_of_scripts_without_a_password_is_told_what_lacks() -> None:
    kafka = {"bootstrap": "k1:9092", "scripts": {"sasl_username": "scripts"}}

    assert faults_of(file={"kafka": kafka}) == {
        "kafka.scripts.sasl_username": "has no meaning without kafka.scripts.sasl_password: add it"
    }

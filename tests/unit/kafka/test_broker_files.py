"""What the embedded broker finds in its folder, and what its last words are turned into."""

import socket
from pathlib import Path

import pytest

from kirby.kafka.broker_files import BrokerFolder, Ports, chosen_ports, write_settings
from kirby.kafka.broker_process import Program, command
from kirby.kafka.java import Java
from kirby.kafka.last_words import last_words


@pytest.fixture
def folder(tmp_path: Path) -> BrokerFolder:
    return BrokerFolder(path=tmp_path)


def program(folder: BrokerFolder, version: str = "25.0.2") -> Program:
    java = Java(path=Path("/java"), version=version)
    return Program(java=java, jars=(Path("/jars/a.jar"), Path("/jars/b.jar")), cache=folder.path)


def test_ports_are_kept_while_nobody_else_has_them(folder: BrokerFolder) -> None:
    first = chosen_ports(folder)

    assert chosen_ports(folder) == first


def test_ports_are_none_that_a_connection_to_elsewhere_may_get(folder: BrokerFolder) -> None:
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])

    ports = chosen_ports(folder)

    assert 1024 < ports.clients < lowest
    assert 1024 < ports.controller < lowest
    assert ports.clients != ports.controller


@pytest.mark.parametrize("taken", ["clients", "controller"])
def test_ports_of_which_one_is_taken_are_replaced(folder: BrokerFolder, taken: str) -> None:
    first = chosen_ports(folder)

    with socket.create_server(("127.0.0.1", getattr(first, taken))):
        second = chosen_ports(folder)

    assert second != first
    assert chosen_ports(folder) == second


def test_a_damaged_file_of_ports_is_replaced(folder: BrokerFolder) -> None:
    folder.ports.write_text("{")

    assert chosen_ports(folder) == chosen_ports(folder)


def test_the_broker_listens_on_loopback_only(folder: BrokerFolder) -> None:
    write_settings(folder, Ports(clients=4001, controller=4002), folder.data)

    lines = folder.settings.read_text().splitlines()
    assert "listeners=CLIENTS://127.0.0.1:4001,CONTROLLER://127.0.0.1:4002" in lines
    assert f"log.dirs={folder.data}" in lines


def test_java_writes_what_it_compiled_once_and_reads_it_then(folder: BrokerFolder) -> None:
    before = command(program(folder), folder, "kafka.Kafka")
    program(folder).compiled.write_text("")

    after = command(program(folder), folder, "kafka.Kafka")

    assert f"-XX:AOTCacheOutput={folder.kept}" in before
    assert f"-XX:AOTCache={program(folder).compiled}" in after


def test_an_older_java_is_not_asked_to_keep_what_it_compiled(folder: BrokerFolder) -> None:
    line = command(program(folder, version="17.0.1"), folder, "kafka.Kafka")

    assert not [word for word in line if "AOT" in word or "Xlog" in word]


def test_the_innermost_cause_is_told(folder: BrokerFolder) -> None:
    folder.log.write_text(
        "2026-03-01T12:00:00.000Z ERROR Exiting Kafka due to fatal exception\n"
        "org.apache.kafka.common.KafkaException: Failed to start\n"
        "\tat kafka.Kafka.main(Kafka.scala:1)\n"
        "Caused by: java.lang.RuntimeException: node.id is 7 and was 1\n"
    )

    told = last_words(folder, said_before=0)

    assert told == (f"Kafka did not start: node.id is 7 and was 1 (all it said is in {folder.log})")


def test_what_an_earlier_start_said_is_not_told(folder: BrokerFolder) -> None:
    earlier = "2026-03-01T12:00:00.000Z ERROR it was the butler\n"
    folder.log.write_text(earlier + "2026-03-02T12:00:00.000Z ERROR it was the cook\n")

    assert "it was the cook" in last_words(folder, said_before=len(earlier))


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("java.io.IOException: No space left on device", "is full; make room"),
        ("java.lang.OutOfMemoryError: Java heap space", "too little memory"),
        ("", "it said nothing"),
    ],
)
def test_what_a_person_can_mend_is_told_plainly(folder: BrokerFolder, said: str, told: str) -> None:
    folder.console.write_text(said)

    assert told in last_words(folder, said_before=0)

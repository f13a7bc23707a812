"""The embedded broker: started, found again, killed, moved to another port, stopped."""

import os
import shutil
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from kirby.core.errors import EmbeddedKafkaFailed, KafkaPortTaken
from kirby.kafka import embedded
from kirby.kafka.broker_files import BrokerFolder, kept_ports
from kirby.kafka.broker_process import wait_for_end
from kirby.kafka.embedded import Sources
from kirby.kafka.jars import ensure_jars
from kirby.kafka.progress import Stage, silent

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "kafka"
    yield path
    embedded.stop(path)


@pytest.fixture
def kept_jars() -> Path:
    return ensure_jars(embedded.sources_of(os.environ).cache, silent)


def test_a_broker_that_runs_is_found_and_not_started_again(folder: Path) -> None:
    first = embedded.ensure(folder)
    pid = embedded.running(folder)

    second = embedded.ensure(folder)

    assert second == first
    assert embedded.running(folder) == pid


def test_what_was_written_survives_a_kill_and_the_port_is_kept(folder: Path) -> None:
    before = embedded.ensure(folder)
    make_topic(before, "kept")
    write(before, "kept", b"loaf")
    pid = embedded.running(folder)
    assert pid

    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid, limit_s=10)
    found_while_dead = embedded.running(folder)
    after = embedded.ensure(folder)

    assert found_while_dead is None
    assert after == before
    assert read_first(after, "kept") == b"loaf"


def test_a_port_that_somebody_took_is_replaced_and_the_data_kept(folder: Path) -> None:
    before = embedded.ensure(folder)
    make_topic(before, "moved")
    write(before, "moved", b"loaf")
    embedded.stop(folder)
    ports = kept_ports(BrokerFolder(path=folder))
    assert ports

    with socket.create_server(("127.0.0.1", ports.clients)):
        after = embedded.ensure(folder)

    assert after != before
    assert read_first(after, "moved") == b"loaf"


def test_a_broker_that_is_restarted_does_not_move_but_waits_for_its_port(folder: Path) -> None:
    before = embedded.ensure(folder)
    embedded.stop(folder)
    ports = kept_ports(BrokerFolder(path=folder))
    assert ports

    with (
        socket.create_server(("127.0.0.1", ports.clients)),
        pytest.raises(KafkaPortTaken, match=rf"port {ports.clients} .* \(pid {os.getpid()}\)"),
    ):
        embedded.restart(folder)
    dead = embedded.running(folder)
    after = embedded.restart(folder)

    assert (dead, after) == (None, before)


def test_a_stop_leaves_no_process(folder: Path) -> None:
    embedded.ensure(folder)
    pid = embedded.running(folder)
    assert pid

    embedded.stop(folder)

    assert embedded.running(folder) is None
    assert not Path(f"/proc/{pid}").exists()


def test_it_listens_on_loopback_only(folder: Path) -> None:
    embedded.ensure(folder)
    pid = embedded.running(folder)

    listening = {address for address, _ in listeners(pid)}

    assert listening == {"127.0.0.1"}


def test_each_stage_is_told_from_its_begin_to_its_end(folder: Path) -> None:
    told: list[tuple[Stage, int, int]] = []

    embedded.ensure(folder, lambda *news: told.append(news))

    for stage in (Stage.FORMAT, Stage.START):
        assert [(done, total) for which, done, total in told if which is stage] == [(0, 1), (1, 1)]


def test_a_mute_broker_is_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    address = embedded.ensure(folder)
    mute = embedded.running(folder)
    assert mute
    os.kill(mute, signal.SIGSTOP)
    monkeypatch.setattr(embedded, "KNOCK_LIMIT_S", 1.0)
    monkeypatch.setattr(embedded, "MUTE_LIMIT_S", 1.0)

    after = embedded.ensure(folder)

    assert after == address
    assert embedded.running(folder) not in (None, mute)


def test_a_broker_that_cannot_start_says_why(folder: Path) -> None:
    embedded.ensure(folder)
    embedded.stop(folder)
    meta = folder / "data" / "meta.properties"
    meta.write_text(meta.read_text().replace("node.id=1", "node.id=7"))

    with pytest.raises(EmbeddedKafkaFailed, match=r"Kafka did not start: .*7.*broker\.log"):
        embedded.ensure(folder)


def test_what_java_compiled_is_kept_at_the_first_clean_stop_only(
    folder: Path, tmp_path: Path, kept_jars: Path
) -> None:
    sources = Sources(cache=tmp_path / "cache", jars=kept_jars)
    sources.cache.mkdir()
    told: list[tuple[Stage, int, int]] = []

    embedded.ensure(folder, sources=sources)
    embedded.stop(folder, lambda *news: told.append(news))
    kept = list(sources.cache.iterdir())
    embedded.ensure(folder, sources=sources)
    embedded.stop(folder, lambda *news: told.append(news))

    assert told == [(Stage.KEEP, 0, 1), (Stage.KEEP, 1, 1)]
    assert [path.suffix for path in kept] == [".aot"]
    assert list(sources.cache.iterdir()) == kept


def test_a_broker_that_is_killed_keeps_nothing_of_what_java_compiled(
    folder: Path, tmp_path: Path, kept_jars: Path
) -> None:
    sources = Sources(cache=tmp_path / "cache", jars=kept_jars)
    sources.cache.mkdir()
    embedded.ensure(folder, sources=sources)
    pid = embedded.running(folder)
    assert pid

    os.killpg(pid, signal.SIGTERM)
    wait_for_end(pid, limit_s=1.5)  # it is writing by now
    os.killpg(pid, signal.SIGKILL)
    wait_for_end(pid, limit_s=10)
    embedded.stop(folder)

    assert list(sources.cache.iterdir()) == []


def test_a_system_java_and_a_folder_of_jars_serve_as_well(folder: Path, kept_jars: Path) -> None:
    java = shutil.which("java")
    if java is None:
        pytest.skip("no Java is installed on this machine")

    address = embedded.ensure(
        folder, sources=Sources(cache=folder / "empty", java=Path(java), jars=kept_jars)
    )

    make_topic(address, "served")
    write(address, "served", b"loaf")
    assert read_first(address, "served") == b"loaf"


def make_topic(bootstrap: str, name: str) -> None:
    admin = AdminClient({"bootstrap.servers": bootstrap})
    admin.create_topics([NewTopic(name, 1, 1)])[name].result(30)


def write(bootstrap: str, topic: str, value: bytes) -> None:
    producer = Producer({"bootstrap.servers": bootstrap, "acks": "all"})
    producer.produce(topic, value)
    assert producer.flush(30) == 0


def read_first(bootstrap: str, topic: str) -> bytes | None:
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "reader"})
    consumer.assign([TopicPartition(topic, 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    return message.value() if message else None


def listeners(pid: int | None) -> set[tuple[str, int]]:
    connections = psutil.Process(pid).net_connections("inet")
    return {
        (c.laddr.ip.removeprefix("::ffff:"), c.laddr.port)
        for c in connections
        if c.status == psutil.CONN_LISTEN
    }

"""Kafka's log is lost while a host remembers what it has read of it."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kirby.actors.services import EmbeddedKafka
from kirby.core.configuration import HostConfiguration
from kirby.core.names import Host
from kirby.core.records import TopicName
from kirby.kafka import embedded
from kirby.kafka.broker_process import wait_for_end
from kirby.kafka.client import Kafka
from kirby.kafka.events import Delivered, OffsetGone, Posted
from kirby.kafka.making import ensure_topics
from kirby.kafka.settings import KafkaSettings
from tests.builders.kafka_records import ticket
from tests.builders.mailboxes import Post

pytestmark = pytest.mark.integration
HOSTS = TopicName.HOSTS


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    configuration = HostConfiguration(name=Host("oven"), state=str(tmp_path))
    yield EmbeddedKafka(folder=tmp_path / "kafka", configuration=configuration)
    embedded.stop(tmp_path / "kafka")


def test_an_offset_that_is_remembered_and_gone_is_said_and_reading_goes_on(
    kafka: str, topic_prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    settings, post = KafkaSettings(bootstrap=kafka, prefix=topic_prefix), Post()
    ensure_topics(settings)

    reader = Kafka(settings=settings).reader({HOSTS: (4711,)}, post.mailbox)
    gone = post.next(OffsetGone, limit_s=60)
    poster = Kafka(settings=settings).poster(post.mailbox)
    poster.post(HOSTS, "alpha", ticket("alpha"))

    assert post.next(Delivered, limit_s=60).key == "alpha"
    assert gone.asked == 4711
    assert f"{topic_prefix}hosts has no offset 4711 in partition 0" in caplog.text
    reader.close()
    poster.close()
    post.close()


def test_a_broker_that_comes_back_without_its_log_has_all_topics_where_it_was(
    broker: EmbeddedKafka,
) -> None:
    before = broker.bootstrap()
    broker.start()
    pid = broker.running()
    assert pid

    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid, limit_s=30)
    shutil.rmtree(broker.folder / "data")
    broker.start()

    post = Post()
    poster = Kafka(settings=KafkaSettings(bootstrap=before)).poster(post.mailbox)
    poster.post(HOSTS, "alpha", ticket("alpha"))
    assert post.next(Posted, limit_s=60).offset == 0
    poster.close()
    post.close()

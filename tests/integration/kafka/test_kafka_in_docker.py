"""The same clients against a Kafka that Docker runs, where there is a Docker engine."""

from collections.abc import Iterator
from typing import Any

import pytest

from kirby.core.records import TopicName
from kirby.kafka.client import Kafka
from kirby.kafka.events import Delivered
from kirby.kafka.making import ensure_topics
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Beginning
from tests.builders.kafka_records import ticket
from tests.builders.mailboxes import Post

pytestmark = pytest.mark.integration
IMAGE = "apache/kafka:4.1.0"


def why_no_docker() -> str:
    """Say why no engine can be asked, or nothing."""
    docker = pytest.importorskip("docker", reason="the package docker is not installed")
    try:
        docker.from_env(timeout=5).ping()
    except docker.errors.DockerException as fault:
        return f"no Docker engine answers: {fault}"
    return ""


@pytest.fixture
def container() -> Iterator[Any]:
    reason = why_no_docker()
    if reason:
        pytest.skip(reason)
    from testcontainers.kafka import KafkaContainer

    with KafkaContainer(IMAGE).with_kraft() as started:
        yield started


def test_what_is_posted_to_a_kafka_in_docker_is_read_there(
    container: Any, topic_prefix: str
) -> None:
    settings = KafkaSettings(bootstrap=container.get_bootstrap_server(), prefix=topic_prefix)
    ensure_topics(settings)
    post, kafka = Post(), Kafka(settings=settings)

    poster = kafka.poster(post.mailbox)
    poster.post(TopicName.HOSTS, "alpha", ticket())
    reader = kafka.reader({TopicName.HOSTS: Beginning()}, post.mailbox)

    assert post.next(Delivered, limit_s=60).record == ticket()
    reader.close()
    poster.close()
    post.close()

"""A start on topics that somebody made otherwise than Kirby needs them."""

import subprocess
import sys
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewTopic,
    ResourceType,
)

from kirby.actors.starting import make_topics
from kirby.core.configuration import HostConfiguration
from kirby.core.errors import ExitCode, TopicsDiffer
from kirby.core.names import Host
from kirby.kafka.topics import internal
from tests.stories.host import free_port
from tests.stories.patience import eventually

pytestmark = pytest.mark.integration
START_WITHIN_S = 120.0


@pytest.fixture
def configuration(kafka: str, topic_prefix: str) -> HostConfiguration:
    return HostConfiguration(name=Host("oven"), state="", kafka=kafka, topic_prefix=topic_prefix)


def make(kafka: str, name: str, partitions: int, **settings: str) -> None:
    config = {key.replace("_", "."): value for key, value in settings.items()}
    topic = NewTopic(name, partitions, 1, config=config)
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.create_topics([topic])[name].result(30)


def alter(kafka: str, name: str, setting: str, value: str) -> None:
    entry = ConfigEntry(setting, value, incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, name, incremental_configs=[entry])
    admin = AdminClient({"bootstrap.servers": kafka})
    admin.incremental_alter_configs([resource])[resource].result(30)
    asked = ConfigResource(ResourceType.TOPIC, name)
    eventually(
        lambda: admin.describe_configs([asked])[asked].result(30)[setting].value,
        until=lambda found: found == value,
        what=f"the broker knows of {setting}",
    )


def test_other_partitions_are_refused_with_what_is_and_what_is_needed(
    configuration: HostConfiguration, kafka: str, topic_prefix: str
) -> None:
    make(kafka, f"{topic_prefix}claims", 3, message_timestamp_type="LogAppendTime")

    with pytest.raises(
        TopicsDiffer, match=r"topic \S+\.claims has partitions 3, where Kirby needs 6"
    ):
        make_topics(configuration)


def test_a_wrong_policy_and_a_wrong_clock_are_refused_together(
    configuration: HostConfiguration, kafka: str, topic_prefix: str
) -> None:
    make_topics(configuration)
    alter(kafka, f"{topic_prefix}hosts", "cleanup.policy", "delete")
    alter(kafka, f"{topic_prefix}runs", "message.timestamp.type", "CreateTime")

    with pytest.raises(TopicsDiffer) as refused:
        make_topics(configuration)

    said = str(refused.value)
    assert "hosts has cleanup.policy delete, where Kirby needs compact" in said
    assert "runs has message.timestamp.type CreateTime, where Kirby needs LogAppendTime" in said


def test_another_retention_is_told_and_left(
    configuration: HostConfiguration, kafka: str, topic_prefix: str
) -> None:
    make_topics(configuration)
    alter(kafka, f"{topic_prefix}logs", "retention.ms", "3600000")

    said = make_topics(configuration)

    assert said == [
        f"topic {topic_prefix}logs has retention.ms 3600000, where Kirby makes 604800000"
    ]


def test_topics_of_all_layouts_are_taken_as_kirby_made_them(
    configuration: HostConfiguration, topic_prefix: str
) -> None:
    make_topics(configuration)

    assert make_topics(configuration) == []
    assert len(internal(topic_prefix, 1)) == 11


def test_a_host_ends_with_a_sentence_and_an_exit_code_of_its_own(
    kafka: str, topic_prefix: str, tmp_path: Path
) -> None:
    make(kafka, f"{topic_prefix}claims", 3, message_timestamp_type="LogAppendTime")
    settings = tmp_path / "kirby.toml"
    settings.write_text(
        f'[kafka]\nbootstrap = "{kafka}"\nreplication = 1\ntopic_prefix = "{topic_prefix}"\n'
    )
    port = str(free_port("127.0.0.1"))
    flags = ("--state", str(tmp_path / "state"), "--config", str(settings), "--port", port)

    done = subprocess.run(
        [sys.executable, "-m", "kirby.actors.system", "start", *flags],
        capture_output=True,
        text=True,
        timeout=START_WITHIN_S,
        check=False,
    )

    assert done.returncode == ExitCode.TOPICS_DIFFER
    assert len(done.stderr.strip().splitlines()) == 1
    assert "claims has partitions 3, where Kirby needs 6" in done.stderr

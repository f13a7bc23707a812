"""Offsets are asked for again once a broker that was killed is back."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from kirby.core.records import TopicName
from kirby.kafka import embedded
from kirby.kafka.asking import StableEnds
from kirby.kafka.broker_process import wait_for_end
from kirby.kafka.events import Answered, LogNamed, NotAnswered
from kirby.kafka.making import ensure_topics
from kirby.kafka.queries import Queries
from kirby.kafka.settings import KafkaSettings
from tests.builders.mailboxes import Post
from tests.kafka_for_tests import new_prefix

pytestmark = pytest.mark.integration
HOSTS = TopicName.HOSTS


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "kafka"
    embedded.stop(tmp_path / "kafka")


def test_the_second_question_after_a_restart_is_answered_and_none_is_answered_wrongly(
    folder: Path,
) -> None:
    post = Post()
    settings = KafkaSettings(bootstrap=embedded.ensure(folder), prefix=new_prefix())
    ensure_topics(settings)
    queries = Queries(settings, post.mailbox)
    queries.ask(StableEnds(), [HOSTS], tag="before")
    post.next(Answered)

    pid = embedded.running(folder)
    assert pid
    os.kill(pid, signal.SIGKILL)
    wait_for_end(pid, limit_s=10)
    queries.ask(StableEnds(), [HOSTS], tag="down", limit_s=1.0)
    post.next(NotAnswered)
    embedded.ensure(folder)
    queries.ask(StableEnds(), [HOSTS], tag="back")

    assert post.next(Answered).offsets == {HOSTS: (0,)}
    queries.close()
    post.close()


def test_a_topic_is_named_alike_until_its_data_is_lost_and_it_is_made_anew(folder: Path) -> None:
    names = []

    for state in (folder, folder, folder.with_name("another")):
        post = Post()
        settings = KafkaSettings(bootstrap=embedded.ensure(state), prefix=".kirby.")
        ensure_topics(settings)
        queries = Queries(settings, post.mailbox)
        queries.ask_log(HOSTS, tag="log", limit_s=10.0)
        names.append(post.next(LogNamed).log)
        queries.close()
        post.close()
    embedded.stop(folder.with_name("another"))

    assert names[0] == names[1] != names[2]
    assert names[0]

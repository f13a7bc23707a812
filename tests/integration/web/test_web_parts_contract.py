"""What the web service's parts do: those in memory, which fast tests use, and those of Kafka."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kirby.core.names import ContextKey, Host, run_id
from kirby.core.records import Line, Lines, RunRequest, Stream, TopicName
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.making import ensure_topics
from kirby.kafka.poster import Poster
from kirby.kafka.settings import KafkaSettings
from kirby.web.kafka_parts import KafkaAnswers, KafkaLogs, KafkaRequests, KafkaTopics
from kirby.web.parts import LogPlace, Logs, Requests, Topics
from tests.builders.web import FakeKafka

NOW = datetime.now(UTC).replace(microsecond=0)
RUN, OTHER = (run_id(ContextKey("pump/prod"), NOW - timedelta(minutes=n)) for n in (1, 2))


@dataclass(kw_only=True)
class Stage:
    """The parts, and a way to put batches into the log; tells where each stands."""

    requests: Requests
    logs: Logs
    topics: Topics
    settings: KafkaSettings | None = None
    fake: FakeKafka | None = None

    def tell(self, *batches: Lines) -> list[tuple[int, int]]:
        if self.fake is not None:
            first = len(self.fake.batches)
            self.fake.batches += batches
            return [(0, first + at) for at in range(len(batches))]
        assert self.settings is not None
        mailbox: Mailbox[Any] = Mailbox()
        poster = Poster(self.settings, mailbox)
        for number, batch in enumerate(batches):
            poster.post(TopicName.LOGS, batch.run, batch, tag=number)
        poster.close()
        posted = {each.tag: each for each in mailbox.drain()}
        mailbox.close()
        return [(posted[n].partition, posted[n].offset) for n in range(len(batches))]


@pytest.fixture(params=["in memory", pytest.param("real", marks=pytest.mark.integration)])
def stage(request: pytest.FixtureRequest, topic_prefix: str) -> Iterator[Stage]:
    if request.param == "in memory":
        fake = FakeKafka()
        yield Stage(requests=fake, logs=fake, topics=fake, fake=fake)
        return
    settings = KafkaSettings(bootstrap=request.getfixturevalue("kafka"), prefix=topic_prefix)
    ensure_topics(settings)
    requests, logs = KafkaRequests(settings), KafkaLogs(settings)
    yield Stage(requests=requests, logs=logs, topics=KafkaTopics(settings), settings=settings)
    requests.close()
    logs.close()


def batch(first: int, text: str, run: str = RUN, attempt: int = 1) -> Lines:
    line = Line(at=NOW, stream=Stream.OUT, text=text)
    return Lines(run=run, attempt=attempt, host=Host("alpha"), first=first, lines=(line,))


def texts(stage: Stage, place: LogPlace, attempt: int = 1) -> list[str]:
    piece = stage.logs.read(RUN, attempt, place)
    return [line.text for _, found in piece.batches for line in found.lines]


def test_the_lines_of_one_attempt_are_read_and_no_others(stage: Stage) -> None:
    places = stage.tell(
        batch(0, "one"), batch(0, "other", run=OTHER), batch(0, "again", attempt=2), batch(1, "two")
    )

    place = LogPlace(partition=places[0][0], first=places[0][1], last=places[3][1])

    assert texts(stage, place) == ["one", "two"]


def test_without_a_last_offset_all_is_read_up_to_the_end(stage: Stage) -> None:
    places = stage.tell(*[batch(at, str(at)) for at in range(5)])

    assert texts(stage, LogPlace(partition=places[0][0], first=places[2][1])) == ["2", "3", "4"]


def test_a_log_of_which_only_the_time_is_known_is_found(stage: Stage) -> None:
    stage.tell(batch(0, "one"), batch(1, "two"))

    assert texts(stage, LogPlace(since=NOW - timedelta(minutes=1))) == ["one", "two"]


def test_a_request_that_was_posted_stands_in_the_log_when_the_call_returns(stage: Stage) -> None:
    request = RunRequest(context=ContextKey("pump/prod"), run=RUN, asked_by="anna", at=NOW)

    stage.requests.post(request)


def test_topics_are_made_once_with_their_partitions(stage: Stage, topic_prefix: str) -> None:
    names = {f"x{topic_prefix}sales": 3, f"x{topic_prefix}stock": 1}

    assert list(stage.topics.ensure(names)) == sorted(names)
    assert list(stage.topics.ensure(names)) == sorted(names)


@pytest.mark.integration
def test_a_kafka_that_answers_is_said_to_and_another_is_not(kafka: str) -> None:
    assert KafkaAnswers(KafkaSettings(bootstrap=kafka)).kafka() is None

    sentence = KafkaAnswers(KafkaSettings(bootstrap="127.0.0.1:1")).kafka()

    assert sentence is not None
    assert "127.0.0.1:1" in sentence

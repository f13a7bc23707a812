"""A leader's wires to Kafka: its link, its reader, its questions; thrown away as a whole."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

from kirby.core.leader.draft import Post
from kirby.core.leader.events import (
    AskEnds,
    AskWatermark,
    Became,
    Commit,
    Committed,
    EndsKnown,
    LeadershipRead,
    LeadershipReadTo,
    LinkFailed,
    Place,
    ReadFrom,
    ReadTo,
    RecordRead,
    SchedulerEvent,
    TailAnswered,
    WatermarkKnown,
)
from kirby.core.messages import LeadFailure
from kirby.core.records import Beat, Leadership, Offsets, TopicName
from kirby.kafka import events as kafka
from kirby.kafka.asking import Beginnings, HighWatermarks, StableEnds
from kirby.kafka.leader_link import Message
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.ports import KafkaPort, ReaderPort

BEGINNINGS, ENDS, WATERMARK = "beginnings", "ends", "watermark"

LeadEffect = AskEnds | ReadFrom | Commit | AskWatermark


class LeadWiring:
    """All that a Scheduler holds of Kafka because it leads, or tries to."""

    def __init__(self, port: KafkaPort) -> None:
        self._port = port
        self._box: Mailbox[Any] = Mailbox()
        self._link = port.leader_link(self._box)
        self._queries = port.queries(self._box)
        self._reader: ReaderPort | None = None
        self._offsets: dict[str, Mapping[TopicName, Offsets]] = {}

    def fileno(self) -> int:
        """Return the descriptor that tells of news."""
        return self._box.fileno()

    def become(self, record: Leadership) -> None:
        """Fence all earlier leaders."""
        self._link.become(record)

    def perform(self, effect: LeadEffect) -> None:
        """Do what the leader's decisions ask of Kafka."""
        match effect:
            case AskEnds(topics=topics):
                self._queries.ask(Beginnings(), topics, tag=BEGINNINGS)
                self._queries.ask(StableEnds(), topics, tag=ENDS)
            case ReadFrom(starts=starts):
                self._read(starts)
            case Commit(posts=posts):
                self._link.commit("decisions", [_message(post) for post in posts])
            case AskWatermark():
                self._queries.ask(HighWatermarks(), [TopicName.RUNS], tag=WATERMARK)

    def drain(self) -> Iterator[SchedulerEvent]:
        """Return what Kafka has told since."""
        for event in self._box.drain():
            known = self._event(event)
            if known is not None:
                yield known

    def close(self) -> None:
        """Throw the producer and the readers away."""
        self._link.close()
        if self._reader is not None:
            self._reader.close()
        self._queries.close()
        self._box.close()

    def _read(self, starts: Mapping[Place, int]) -> None:
        offsets: dict[TopicName, list[int]] = defaultdict(list)
        for topic, partition in sorted(starts, key=lambda place: (place[0].value, place[1])):
            offsets[topic].append(starts[topic, partition])
        by_topic = {topic: tuple(each) for topic, each in offsets.items()}
        if self._reader is None:
            self._reader = self._port.reader(by_topic, self._box)
        else:
            self._reader.read(by_topic)

    def _event(self, event: Any) -> SchedulerEvent | None:
        match event:
            case kafka.Delivered():
                return RecordRead(
                    topic=event.topic,
                    partition=event.partition,
                    offset=event.offset,
                    key=event.key,
                    record=event.record,
                )
            case kafka.CaughtUp(topic=topic, partition=partition, next_offset=offset):
                return ReadTo(topic=topic, partition=partition, offset=offset)
            case kafka.Became(epoch=epoch):
                return Became(epoch=epoch)
            case kafka.Committed():
                return Committed()
            case kafka.LinkFenced(sentence=sentence):
                return LinkFailed(failure=LeadFailure.FENCED, sentence=sentence)
            case kafka.LinkFailed(sentence=sentence):
                return LinkFailed(failure=LeadFailure.FAILED, sentence=sentence)
            case kafka.Answered() | kafka.NotAnswered():
                return self._answer(event)
            case _:
                return None  # signs of life and troubles: the link's time limits tell the same

    def _answer(self, event: kafka.Answered | kafka.NotAnswered) -> SchedulerEvent | None:
        if isinstance(event, kafka.NotAnswered):
            if event.tag == WATERMARK:
                return WatermarkKnown(offsets=None)
            return EndsKnown(beginnings=None, ends=None)
        if event.tag == WATERMARK:
            return WatermarkKnown(offsets=event.offsets[TopicName.RUNS])
        self._offsets[str(event.tag)] = event.offsets
        if len(self._offsets) < 2:
            return None
        return EndsKnown(beginnings=self._offsets[BEGINNINGS], ends=self._offsets[ENDS])


def tail_event(event: Any) -> SchedulerEvent | None:
    """Translate what the reader of the leadership topic tells."""
    match event:
        case kafka.Delivered(record=Leadership() | Beat() as record):
            return LeadershipRead(record=record, offset=event.offset, appended=event.appended)
        case kafka.CaughtUp(next_offset=offset):
            return LeadershipReadTo(offset=offset)
        case kafka.Alive():
            return TailAnswered()
        case _:
            return None


def _message(post: Post) -> Message:
    return Message(topic=post.topic, key=post.key, record=post.record)

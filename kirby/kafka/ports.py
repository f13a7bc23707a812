"""What actors need of Kafka, as small protocols: the real one and that of the tests fulfil them."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from kirby.core.records import AnyRecord, Leadership, TopicName
from kirby.kafka.asking import Question
from kirby.kafka.leader_link import Message
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.starts import Partition, Start


class ReaderPort(Protocol):
    """Reads internal topics; see `Reader`."""

    def read(self, starts: Mapping[TopicName, Start]) -> None:
        """Read topics from there on; one that is read already is read from there instead."""

    def positions(self) -> Mapping[Partition, int]:
        """Return the next offset of each partition of which it is known."""

    def close(self) -> None:
        """End; nothing is told any more."""


class PosterPort(Protocol):
    """Writes single records; see `Poster`."""

    def post(
        self, topic: TopicName, key: str, record: AnyRecord | None, *, tag: Hashable = None
    ) -> None:
        """Write a record; None is a tombstone."""

    def post_raw(
        self, topic: str, key: bytes | None, value: bytes | None, *, tag: Hashable = None
    ) -> None:
        """Write bytes to a topic by its full name."""

    def close(self, limit_s: float = 5.0) -> None:
        """Write what is left, within the limit, and end."""


class LinkPort(Protocol):
    """The leader's transactions; see `LeaderLink`."""

    def become(self, record: Leadership) -> None:
        """Fence every earlier leader and write the record that makes the epoch."""

    def commit(self, tag: Hashable, messages: Sequence[Message]) -> None:
        """Write all of the messages or none."""

    def close(self) -> None:
        """End; an open transaction is given up."""


class QueriesPort(Protocol):
    """Asks for offsets, and which log a topic is; see `Queries`."""

    def ask(
        self,
        question: Question,
        topics: Iterable[TopicName],
        *,
        tag: Hashable,
        limit_s: float = 3.0,
    ) -> None:
        """Ask for an offset of every partition of topics; `Answered` or `NotAnswered` comes."""

    def ask_log(self, topic: TopicName, *, tag: Hashable, limit_s: float = 3.0) -> None:
        """Ask which log a topic is; `LogNamed` or `NotAnswered` comes."""

    def close(self) -> None:
        """Let go of the client; what was asked may stay unanswered."""


class KafkaPort(Protocol):
    """Makes clients that tell one mailbox."""

    def reader(self, starts: Mapping[TopicName, Start], mailbox: Mailbox[Any]) -> ReaderPort:
        """Begin to read."""

    def poster(
        self, mailbox: Mailbox[Any], *, delivery_limit: timedelta = timedelta(seconds=30)
    ) -> PosterPort:
        """Be ready to write."""

    def leader_link(self, mailbox: Mailbox[Any]) -> LinkPort:
        """Be ready to lead."""

    def queries(self, mailbox: Mailbox[Any]) -> QueriesPort:
        """Be ready to ask."""

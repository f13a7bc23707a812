"""What Kafka's threads tell: the events that come through a mailbox."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from kirby.core.names import Epoch
from kirby.core.records import AnyRecord, Offsets, TopicName


@dataclass(frozen=True, kw_only=True)
class KafkaEvent:
    """The manner of every event."""


# ---- of a reader --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Delivered(KafkaEvent):
    """A committed record was read."""

    topic: TopicName
    partition: int
    offset: int
    key: str
    record: AnyRecord | None  # None: a tombstone
    appended: datetime  # by the broker's clock
    read_boot: float  # CLOCK_BOOTTIME seconds


@dataclass(frozen=True, kw_only=True)
class CaughtUp(KafkaEvent):
    """The end of a partition was reached: the next record will have this offset, or a later one.

    Told again whenever the end is reached again. The offset counts the markers of transactions.
    """

    topic: TopicName
    partition: int
    next_offset: int


@dataclass(frozen=True, kw_only=True)
class UnreadableRead(KafkaEvent):
    """A record that does not have its topic's shape; it was sent to the dead-letter topic."""

    topic: TopicName
    partition: int
    offset: int
    key: str
    sentence: str


@dataclass(frozen=True, kw_only=True)
class OffsetGone(KafkaEvent):
    """What was to be read is no longer there (or not yet); reading goes on from the beginning."""

    topic: TopicName
    partition: int
    asked: int


@dataclass(frozen=True, kw_only=True)
class Alive(KafkaEvent):
    """Each broker that is read from has answered since the last of these, twice a second."""

    boot: float  # CLOCK_BOOTTIME seconds of when that was found


@dataclass(frozen=True, kw_only=True)
class ReaderTrouble(KafkaEvent):
    """Reading does not go on for now; it will by itself. One of a kind in five seconds."""

    sentence: str


ReaderEvent: TypeAlias = Delivered | CaughtUp | UnreadableRead | OffsetGone | Alive | ReaderTrouble


# ---- of a poster --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Posted(KafkaEvent):
    """All replicas that count have the record."""

    tag: Hashable
    topic: str  # in full
    partition: int
    offset: int
    appended: datetime
    acknowledged_boot: float


@dataclass(frozen=True, kw_only=True)
class NotPosted(KafkaEvent):
    """No acknowledgement came in time: the record may stand in the log all the same."""

    tag: Hashable
    sentence: str


PosterEvent: TypeAlias = Posted | NotPosted


# ---- of the leader's link -----------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a record of a transaction stands."""

    partition: int
    offset: int


@dataclass(frozen=True, kw_only=True)
class Became(KafkaEvent):
    """The leadership record stands: its offset is the epoch, and every earlier leader is fenced."""

    epoch: Epoch
    appended: datetime


@dataclass(frozen=True, kw_only=True)
class Committed(KafkaEvent):
    """A transaction stands as a whole; the places are in the order of its messages."""

    tag: Hashable
    places: tuple[Place, ...]
    boot: float


@dataclass(frozen=True, kw_only=True)
class LinkFenced(KafkaEvent):
    """A later leader has begun: stand down at once. The link is of no more use."""

    sentence: str


@dataclass(frozen=True, kw_only=True)
class LinkFailed(KafkaEvent):
    """The link is of no more use; begin again with a new one."""

    sentence: str
    outcome_unknown: bool  # whether the transaction that was being committed may stand


LinkEvent: TypeAlias = Became | Committed | LinkFenced | LinkFailed


# ---- of queries ---------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Answered(KafkaEvent):
    """The offsets that were asked for, of every partition of each topic."""

    tag: Hashable
    offsets: Mapping[TopicName, Offsets]
    boot: float


@dataclass(frozen=True, kw_only=True)
class NotAnswered(KafkaEvent):
    """Kafka did not answer in time."""

    tag: Hashable
    sentence: str


@dataclass(frozen=True, kw_only=True)
class LogNamed(KafkaEvent):
    """What tells a topic from all others of any cluster, also from one made anew by its name."""

    tag: Hashable
    log: str


QueryEvent: TypeAlias = Answered | NotAnswered | LogNamed

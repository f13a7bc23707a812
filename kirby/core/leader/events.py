"""What happens to a Scheduler, and what it wants done."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from kirby.core.leader.draft import Post
from kirby.core.messages import LeadFailure
from kirby.core.names import Epoch
from kirby.core.nouns import Schedule
from kirby.core.records import AnyRecord, Beat, Leadership, Offsets, TopicName

Place: TypeAlias = tuple[TopicName, int]  # a partition


@dataclass(frozen=True, kw_only=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, kw_only=True)
class CandidateNamed:
    """The election names this host: try for the lead."""

    term: int


@dataclass(frozen=True, kw_only=True)
class StoodBy:
    """The election names another host."""


@dataclass(frozen=True, kw_only=True)
class TailAnswered:
    """A fetch of the leadership topic was answered."""


@dataclass(frozen=True, kw_only=True)
class LeadershipRead:
    """A record of the leadership topic, at its offset, with the broker's time of appending."""

    record: Leadership | Beat
    offset: int
    appended: datetime


@dataclass(frozen=True, kw_only=True)
class LeadershipReadTo:
    """The leadership topic was read up to this offset, its end at the moment."""

    offset: int


@dataclass(frozen=True, kw_only=True)
class LeadershipEnd:
    """The end offset that was asked for; None: no answer."""

    offset: int | None


@dataclass(frozen=True, kw_only=True)
class Became:
    """`init_transactions` and the leadership record went through: the epoch is this host's."""

    epoch: Epoch


@dataclass(frozen=True, kw_only=True)
class LinkFailed:
    """The leader's link is gone: fenced, or in an unknown state."""

    failure: LeadFailure
    sentence: str


@dataclass(frozen=True, kw_only=True)
class Committed:
    """The transaction that was handed out stands in the log."""


@dataclass(frozen=True, kw_only=True)
class EndsKnown:
    """The first and the end offsets of all topics of the read-up; None: no answer."""

    beginnings: Mapping[TopicName, Offsets] | None
    ends: Mapping[TopicName, Offsets] | None


@dataclass(frozen=True, kw_only=True)
class RecordRead:
    """A record (None: a tombstone) of a topic that the leader reads."""

    topic: TopicName
    partition: int
    offset: int
    key: str
    record: AnyRecord | None


@dataclass(frozen=True, kw_only=True)
class ReadTo:
    """A partition was read up to this offset, its end at the moment."""

    topic: TopicName
    partition: int
    offset: int


@dataclass(frozen=True, kw_only=True)
class WatermarkKnown:
    """The high watermarks of the runs topic; None: no answer."""

    offsets: Offsets | None


@dataclass(frozen=True, kw_only=True)
class ScheduleFetched:
    """The web service's answer; None: nothing has changed."""

    schedule: Schedule | None


@dataclass(frozen=True, kw_only=True)
class ScheduleFailed:
    """The web service did not answer; firing goes on from the mirror."""

    sentence: str


SchedulerEvent: TypeAlias = (
    Tick
    | CandidateNamed
    | StoodBy
    | TailAnswered
    | LeadershipRead
    | LeadershipReadTo
    | LeadershipEnd
    | Became
    | LinkFailed
    | Committed
    | EndsKnown
    | RecordRead
    | ReadTo
    | WatermarkKnown
    | ScheduleFetched
    | ScheduleFailed
)


@dataclass(frozen=True, kw_only=True)
class AskLeadershipEnd:
    """Ask Kafka for the end offset of the leadership topic."""


@dataclass(frozen=True, kw_only=True)
class BecomeLeader:
    """Fence all earlier leaders, and write this record in the first transaction."""

    record: Leadership


@dataclass(frozen=True, kw_only=True)
class AskEnds:
    """Ask Kafka for the first and end offsets of these topics."""

    topics: tuple[TopicName, ...]


@dataclass(frozen=True, kw_only=True)
class ReadFrom:
    """Read these partitions from these offsets on, beside what is read already."""

    starts: Mapping[Place, int]


@dataclass(frozen=True, kw_only=True)
class Commit:
    """Write these records in one transaction."""

    posts: tuple[Post, ...]


@dataclass(frozen=True, kw_only=True)
class AskWatermark:
    """Ask Kafka for the high watermarks of the runs topic."""


@dataclass(frozen=True, kw_only=True)
class FetchSchedule:
    """Ask the web service for what changed since a revision (None: for everything)."""

    since: int | None


@dataclass(frozen=True, kw_only=True)
class StandDown:
    """Throw the link and the readers of the lead away, and tell the Supervisor why."""

    term: int
    failure: LeadFailure | None  # None: it was asked to
    sentence: str


SchedulerEffect: TypeAlias = (
    AskLeadershipEnd
    | BecomeLeader
    | AskEnds
    | ReadFrom
    | Commit
    | AskWatermark
    | FetchSchedule
    | StandDown
)

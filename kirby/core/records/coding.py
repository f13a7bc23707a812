"""Records as JSON: one decoder for each topic."""

from typing import TypeAlias

import msgspec

from kirby.core.errors import Unreadable
from kirby.core.records.claims import Claim, LeaderClaim
from kirby.core.records.hosts import Heartbeat, Probe, Ticket
from kirby.core.records.leadership import Beat, Cursor, Drained, Leadership, Mirrored
from kirby.core.records.logs import DeadLetter, Lines
from kirby.core.records.offers import DaemonOffer, Offer
from kirby.core.records.record import VERSION, TopicName
from kirby.core.records.requests import RestartRequest, RunRequest, StopRequest
from kirby.core.records.runs import (
    Armed,
    Ended,
    Exited,
    FirstLine,
    Logged,
    NotStarted,
    Offered,
    Parked,
    Released,
    StopAsked,
    Stretch,
)

RunRecord: TypeAlias = (
    Armed
    | Parked
    | Released
    | FirstLine
    | StopAsked
    | Exited
    | NotStarted
    | Logged
    | Offered
    | Ended
    | Stretch
)
HostRecord: TypeAlias = Ticket | Heartbeat | Probe
RequestRecord: TypeAlias = RunRequest | StopRequest | RestartRequest
AnyRecord: TypeAlias = (
    Offer
    | DaemonOffer
    | Claim
    | LeaderClaim
    | HostRecord
    | RequestRecord
    | RunRecord
    | Lines
    | Leadership
    | Beat
    | Mirrored
    | Drained
    | Cursor
    | DeadLetter
)

_KINDS: dict[TopicName, object] = {
    TopicName.OFFERS: Offer,
    TopicName.DAEMONS: DaemonOffer,
    TopicName.CLAIMS: Claim | LeaderClaim,
    TopicName.HOSTS: HostRecord,
    TopicName.REQUESTS: RequestRecord,
    TopicName.RUNS: RunRecord,
    TopicName.LOGS: Lines,
    TopicName.LEADERSHIP: Leadership | Beat,
    TopicName.SCHEDULE: Mirrored | Drained,
    TopicName.CURSOR: Cursor,
    TopicName.DEAD_LETTERS: DeadLetter,
}
_DECODERS = {topic: msgspec.json.Decoder(kind) for topic, kind in _KINDS.items()}
_ENCODER = msgspec.json.Encoder()


def encode(record: AnyRecord) -> bytes:
    """Write a record as JSON."""
    return _ENCODER.encode(record)


def decode(topic: TopicName, value: bytes) -> AnyRecord:
    """Read a record of a topic.

    Raises:
        Unreadable: it is not JSON, has another shape, or a version that is not known here.
    """
    try:
        record: AnyRecord = _DECODERS[topic].decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Unreadable(f"a record of {topic.value} cannot be read: {fault}") from fault
    if record.v > VERSION:
        raise Unreadable(
            f"a record of {topic.value} has version {record.v}; this Kirby reads up to {VERSION}: "
            "update this host"
        )
    return record

"""What a history left behind: the log sorted by kind, and the witness of what was started."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from kirby.core.names import AttemptId, Epoch, is_instance
from kirby.core.records import (
    AnyRecord,
    Beat,
    Claim,
    Cursor,
    Ended,
    Exited,
    Heartbeat,
    LeaderClaim,
    Leadership,
    NotStarted,
    Offer,
    Offered,
    Probe,
    Stretch,
    TopicName,
)
from tests.simulation.cluster.broker import START, Entry
from tests.simulation.cluster.history import History
from tests.simulation.cluster.shim_sim import Script


@dataclass(frozen=True, kw_only=True)
class Violation:
    """An invariant that did not hold."""

    rule: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.rule}: {self.sentence}"


@dataclass(kw_only=True)
class Record:
    """The log in the order in which it became true, sorted by kind."""

    ended: list[tuple[Ended, Entry]]
    stretches: list[tuple[Stretch, Entry]]
    offers: list[tuple[Offer, Entry]]
    cursors: list[tuple[Cursor, Entry]]
    refusals: list[tuple[NotStarted, Entry]]
    exits: list[tuple[Exited, Entry]]
    beats: list[tuple[Heartbeat, Entry]]
    leaders: list[tuple[AnyRecord, Epoch, Entry]]  # all that bears an epoch
    epochs: list[tuple[Epoch, Entry]]
    claims: list[tuple[Claim | LeaderClaim, Entry]]


def record_of(history: History) -> Record:
    """Sort what stands in the log."""
    record = Record(
        ended=[], stretches=[], offers=[], cursors=[], refusals=[], exits=[], beats=[],
        leaders=[], epochs=[], claims=[],
    )  # fmt: skip
    lists: dict[type, list[tuple[object, Entry]]] = {
        Ended: record.ended,  # type: ignore[dict-item]
        Stretch: record.stretches,  # type: ignore[dict-item]
        Offer: record.offers,  # type: ignore[dict-item]
        Cursor: record.cursors,  # type: ignore[dict-item]
        NotStarted: record.refusals,  # type: ignore[dict-item]
        Exited: record.exits,  # type: ignore[dict-item]
        Heartbeat: record.beats,  # type: ignore[dict-item]
    }
    broker = history.world.broker
    leadership = {
        id(entry): offset for offset, entry in enumerate(broker.logs[TopicName.LEADERSHIP, 0])
    }
    for _, _, each, entry in broker.history:
        if type(each) in lists:
            lists[type(each)].append((each, entry))
        if isinstance(each, Claim | LeaderClaim):
            record.claims.append((each, entry))
        if isinstance(each, Leadership):
            record.epochs.append((Epoch(leadership[id(entry)]), entry))
        elif isinstance(each, Ended | Stretch | Offer | Offered | LeaderClaim | Beat | Probe):
            record.leaders.append((each, each.epoch, entry))
    return record


def scripts(history: History) -> Iterator[Script]:
    """Return all scheduled runs that ever started, in no order."""
    for host in history.world.hosts.values():
        yield from (each for each in host.machine.all_scripts if not is_instance(each.key[0]))


def instances(history: History) -> Iterator[Script]:
    """Return all lives of daemons, in no order."""
    for host in history.world.hosts.values():
        yield from (each for each in host.machine.all_scripts if is_instance(each.key[0]))


def attempt_of(script: Script) -> AttemptId:
    """Return which attempt a process was."""
    return AttemptId(run=script.key[0], attempt=script.key[1])


def seconds_of(instant: datetime) -> float:
    """Turn the broker's time into seconds of the world."""
    return (instant - START).total_seconds()

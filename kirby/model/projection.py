"""What happened, projected from the log into the database (rule I10: the same log, the same rows).

A batch and the offsets after it are written in one transaction, so a record is taken exactly once
whenever a web service dies. Taking one twice, or the steps of a run in another order, gives the
same rows all the same: a step fills its own columns, and the first end stands (rule E1).
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import peewee

from kirby.core.names import ContextKey
from kirby.core.records import AnyRecord, Beat, DaemonOffer, Heartbeat, TopicName
from kirby.model.database import database, is_sqlite, writing
from kirby.model.happenings import OffsetRow
from kirby.model.projection_hosts import see_beat, see_heartbeat
from kirby.model.projection_runs import RUN_RECORDS, RunBatch
from kirby.model.roll_outs import see_daemon_offer
from kirby.model.upsert import put

PROJECTED = (TopicName.RUNS, TopicName.HOSTS, TopicName.LEADERSHIP, TopicName.DAEMONS)
HOLDS = 0x6B697262  # the class of advisory locks of PostgreSQL that are Kirby's partitions
PARTITIONS_AT_MOST = 10_000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A record and where it stands in the log."""

    topic: TopicName
    partition: int
    offset: int
    record: AnyRecord | None  # None: a tombstone, or one that could not be read
    key: str = ""


Offsets = Mapping[tuple[TopicName, int], int]


def offsets() -> dict[tuple[TopicName, int], int]:
    """Return the next offset to read of each partition that was read before."""
    return {(TopicName(row.topic), row.partition): row.next for row in OffsetRow.select()}


def forget_offset(topic: TopicName, partition: int) -> None:
    """Begin a partition anew, where the log was replaced, or what was to be read is gone."""
    chosen = (OffsetRow.topic == topic.value) & (OffsetRow.partition == partition)
    OffsetRow.delete().where(chosen).execute()


def take(batch: Sequence[Placed], read_up_to: Offsets | None = None) -> None:
    """Project a batch; remember how far the log was read.

    Args:
        batch: records, in the order of each partition.
        read_up_to: next offsets, where the reader is past records that are not delivered.
    """
    try:
        _take_together(batch, read_up_to or {})
    except (peewee.IntegrityError, peewee.DataError):
        _take_one_by_one(batch, read_up_to or {})


def _take_together(batch: Sequence[Placed], read_up_to: Offsets) -> None:
    with writing():
        _hold({(placed.topic, placed.partition) for placed in batch} | set(read_up_to))
        known = offsets()
        reached = dict(read_up_to)
        runs = RunBatch()
        for placed in batch:
            place = (placed.topic, placed.partition)
            if placed.offset >= known.get(place, 0):
                _apply(placed, runs)
                reached[place] = max(reached.get(place, 0), placed.offset + 1)
        _advance(known, reached)


def _take_one_by_one(batch: Sequence[Placed], read_up_to: Offsets) -> None:
    """Pass over what the tables refuse: one odd record must not stop all that follow."""
    for placed in batch:
        try:
            _take_together([placed], {})
        except (peewee.IntegrityError, peewee.DataError) as fault:
            _log.warning(
                "record %s/%s@%s is passed over: %s",
                placed.topic.value,
                placed.partition,
                placed.offset,
                fault,
            )
            _take_together([], {(placed.topic, placed.partition): placed.offset + 1})
    _take_together([], read_up_to)


def _hold(places: Iterable[tuple[TopicName, int]]) -> None:
    """Keep other web services from these partitions until this transaction ends.

    One that was left out of the sharing may wake up with a batch in its hands: it waits here for
    whoever goes on in its place, and then sees in the offsets that its records were taken.
    """
    if is_sqlite():
        return  # it has one writer at a time anyway
    for topic, partition in sorted((PROJECTED.index(topic), number) for topic, number in places):
        key = topic * PARTITIONS_AT_MOST + partition
        database.execute_sql("SELECT pg_advisory_xact_lock(%s, %s)", (HOLDS, key))


def _advance(known: Offsets, reached: Offsets) -> None:
    for (topic, partition), following in reached.items():
        if following > known.get((topic, partition), 0):
            columns = {"topic": topic.value, "partition": partition, "next": following}
            put(OffsetRow, (OffsetRow.topic, OffsetRow.partition), columns)


def _apply(placed: Placed, runs: RunBatch) -> None:
    record = placed.record
    if placed.topic is TopicName.DAEMONS and (record is None or isinstance(record, DaemonOffer)):
        see_daemon_offer(ContextKey(placed.key), record)
        return
    match record:
        case Heartbeat():
            see_heartbeat(record)
        case Beat():
            see_beat(record)
        case _ if isinstance(record, RUN_RECORDS):
            runs.see(record)
        case _:
            pass  # tickets and probes concern hosts and leaders only

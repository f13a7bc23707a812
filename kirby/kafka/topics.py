"""Which topics an installation has, how each is kept, and that they are there."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from kirby.core.records import TopicName

PARTITIONS = 6  # of a keyed topic; never changes, as a key must stay where it is
SEGMENT = timedelta(minutes=10)  # small ones, so that compaction keeps up with heartbeats
SEGMENT_BYTES = 16 * 1024 * 1024
PIECES = 8  # a topic that is kept for a time goes in this many pieces, not all at once
PIECE_BYTES = 64 * 1024 * 1024

# Another number of partitions takes keys elsewhere; compaction takes away what was first said of a
# key, and its absence what was said last; another clock than the broker's decides nothing.
HINDERING = frozenset({"partitions", "cleanup.policy", "message.timestamp.type"})


@dataclass(frozen=True, kw_only=True)
class Layout:
    """How a topic is kept."""

    partitions: int = PARTITIONS
    kept: timedelta | None = None  # None: compacted, the last record of each key stays

    def settings(self, replication: int) -> dict[str, str]:
        """Return the topic's settings, by Kafka's names."""
        return {
            # The broker's clock is the cluster's clock.
            "message.timestamp.type": "LogAppendTime",
            "min.insync.replicas": str(max(1, replication - 1)),
            **(self._compacted() if self.kept is None else self._aged(self.kept)),
        }

    def _compacted(self) -> dict[str, str]:
        return {
            "cleanup.policy": "compact",
            "segment.ms": _ms(SEGMENT),
            "segment.bytes": str(SEGMENT_BYTES),
        }

    def _aged(self, kept: timedelta) -> dict[str, str]:
        return {
            "cleanup.policy": "delete",
            "retention.ms": _ms(kept),
            "segment.ms": _ms(kept / PIECES),
            "segment.bytes": str(PIECE_BYTES),
        }


LAYOUTS: Mapping[TopicName, Layout] = {
    TopicName.OFFERS: Layout(kept=timedelta(days=3)),
    TopicName.DAEMONS: Layout(),
    TopicName.CLAIMS: Layout(kept=timedelta(days=4)),  # longer than offers
    TopicName.HOSTS: Layout(partitions=1),
    TopicName.REQUESTS: Layout(kept=timedelta(days=3)),
    TopicName.RUNS: Layout(kept=timedelta(weeks=4)),
    TopicName.LOGS: Layout(kept=timedelta(days=7)),
    TopicName.LEADERSHIP: Layout(partitions=1),
    TopicName.SCHEDULE: Layout(),
    TopicName.CURSOR: Layout(),
    TopicName.DEAD_LETTERS: Layout(partitions=1, kept=timedelta(weeks=4)),
}


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A topic that should be there."""

    name: str  # in full
    partitions: int
    replication: int
    settings: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a topic that is there has otherwise than Kirby would make it; it is left so."""

    topic: str
    setting: str
    wanted: str
    found: str

    def __str__(self) -> str:
        need = "Kirby needs" if self.hinders else "Kirby makes"
        return f"topic {self.topic} has {self.setting} {self.found}, where {need} {self.wanted}"

    @property
    def hinders(self) -> bool:
        """Whether Kirby would go wrong with it; the rest can be altered at any time."""
        return self.setting in HINDERING


def internal(prefix: str, replication: int) -> tuple[Wanted, ...]:
    """List the topics of an installation."""
    return tuple(
        Wanted(
            name=f"{prefix}{name.value}",
            partitions=layout.partitions,
            replication=replication,
            settings=layout.settings(replication),
        )
        for name, layout in LAYOUTS.items()
    )


def of_users(names: Iterable[str] | Mapping[str, int], replication: int) -> tuple[Wanted, ...]:
    """List topics of scripts, by full name; how long they are kept is the broker's to say.

    Args:
        names: or a mapping of names to numbers of partitions.
        replication: of each.
    """
    settings = {"min.insync.replicas": str(max(1, replication - 1))}
    partitions = names if isinstance(names, Mapping) else dict.fromkeys(names, PARTITIONS)
    return tuple(
        Wanted(name=name, partitions=number, replication=replication, settings=settings)
        for name, number in partitions.items()
    )


def _ms(duration: timedelta) -> str:
    return str(duration // timedelta(milliseconds=1))

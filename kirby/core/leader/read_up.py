"""What a new leader reads before it decides anything (section "Leadership", step 4).

First cursor, schedule, daemons and hosts from their beginnings; then requests, claims and runs from
the offsets that the cursors name. All up to end offsets that were taken after the earlier leaders
were fenced: whatever they committed lies before them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from kirby.core.leader.events import Place
from kirby.core.leader.ledger import Ledger
from kirby.core.records import Offsets, TopicName

STANDING_TOPICS = (TopicName.CURSOR, TopicName.SCHEDULE, TopicName.DAEMONS, TopicName.HOSTS)
RECENT_TOPICS = (TopicName.REQUESTS, TopicName.CLAIMS, TopicName.RUNS)
READ_UP_TOPICS = (*STANDING_TOPICS, *RECENT_TOPICS)
PROGRESS_SECONDS = 10.0  # a read-up that stood still for so long has failed


@dataclass(kw_only=True)
class ReadUp:
    """How far a new leader has read, and how far it must."""

    beginnings: Mapping[TopicName, Offsets]
    ends: Mapping[TopicName, Offsets]
    missing: dict[Place, int] = field(default_factory=dict)  # partitions short of their end
    is_recent: bool = False  # in the second half
    progressed: float = 0.0  # BOOTTIME of the last progress

    def begin(self, boot: float) -> dict[Place, int]:
        """Return where to start with the first half."""
        self.progressed = boot
        starts = {
            (topic, partition): offset
            for topic in STANDING_TOPICS
            for partition, offset in enumerate(self.beginnings[topic])
        }
        self._expect(starts)
        return starts

    def go_on(self, ledger: Ledger) -> dict[Place, int]:
        """Return where to start with the second half, from what the cursors name."""
        self.is_recent = True
        busy = [ledger.books[context] for context in ledger.busy]
        named = {
            TopicName.REQUESTS: _consumed(ledger.consumed, self.beginnings[TopicName.REQUESTS]),
            TopicName.CLAIMS: _oldest(
                (book.claims_named for book in busy), self.ends[TopicName.CLAIMS]
            ),
            TopicName.RUNS: _oldest((book.runs_named for book in busy), self.ends[TopicName.RUNS]),
        }
        starts = {
            (topic, partition): max(offset, self.beginnings[topic][partition])
            for topic, offsets in named.items()
            for partition, offset in enumerate(offsets)
        }
        self._expect(starts)
        return starts

    def reached(self, place: Place, offset: int, boot: float) -> None:
        """Take that a partition was read up to `offset`."""
        self.progressed = boot
        if offset >= self.missing.get(place, offset + 1):
            del self.missing[place]

    def _expect(self, starts: Mapping[Place, int]) -> None:
        for (topic, partition), offset in starts.items():
            end = self.ends[topic][partition]
            if offset < end:
                self.missing[topic, partition] = end


def _consumed(consumed: Mapping[int, int], beginnings: Offsets) -> Offsets:
    return tuple(
        consumed.get(partition, beginning) for partition, beginning in enumerate(beginnings)
    )


def _oldest(named: Iterable[Offsets], ends: Offsets) -> Offsets:
    """Return the lowest offset that any cursor names; the end, where none needs anything."""
    oldest = list(ends)
    for offsets in named:
        for partition in range(len(oldest)):
            offset = offsets[partition] if partition < len(offsets) else 0
            oldest[partition] = min(oldest[partition], offset)
    return tuple(oldest)

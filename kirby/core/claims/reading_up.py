"""Whether topics were read up to end offsets that were taken at some moment (rule C1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from kirby.core.records import Offsets, TopicName

Place: TypeAlias = tuple[TopicName, int]  # topic and partition


@dataclass(frozen=True, kw_only=True)
class ReadingUp:
    """How far each partition must be read, and has been read."""

    ends: Mapping[Place, int] | None = None  # None: not known yet
    positions: Mapping[Place, int] = field(default_factory=dict)  # the next offset of each

    def until(self, ends: Mapping[TopicName, Offsets]) -> "ReadingUp":
        """Set how far is far enough."""
        flat = {
            (topic, partition): offset
            for topic, offsets in ends.items()
            for partition, offset in enumerate(offsets)
        }
        return replace(self, ends=flat)

    def anew(self) -> "ReadingUp":
        """Ask once more how far is far enough: nothing is until that is answered."""
        return replace(self, ends=None)

    def reached(self, place: Place, next_offset: int) -> "ReadingUp":
        """Note that a partition was read, or its end reached; the next record has this offset."""
        if self.positions.get(place, -1) >= next_offset:
            return self
        return replace(self, positions={**self.positions, place: next_offset})

    @property
    def is_complete(self) -> bool:
        """Whether every partition was read far enough."""
        if self.ends is None:
            return False
        return all(self.positions.get(place, -1) >= end for place, end in self.ends.items())

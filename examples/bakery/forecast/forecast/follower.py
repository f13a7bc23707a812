"""Notices when sales were missed because another host had their partition meanwhile."""

from dataclasses import dataclass, field


@dataclass
class Follower:
    """How far the history reaches in each partition."""

    _seen: dict[int, int] = field(default_factory=dict)

    def note(self, partition: int, offset: int) -> None:
        """Take note that the history holds this record."""
        self._seen[partition] = max(offset, self._seen.get(partition, -1))

    def misses_some_before(self, partition: int, offset: int) -> bool:
        """Tell whether there is a gap between the history and this record."""
        return offset > self._seen.get(partition, -1) + 1

"""Keeps the same complaint from filling the log: once, then at most once in a while."""

from dataclasses import dataclass, field

QUIET_SECONDS = 60.0  # librdkafka complains of a lost broker some 20 times a second


@dataclass
class Limiter:
    """Says which complaints are to be written, and how many of a kind were not."""

    quiet_seconds: float = QUIET_SECONDS
    _last: dict[str, float] = field(default_factory=dict)
    _held_back: dict[str, int] = field(default_factory=dict)

    def admits(self, kind: str, now: float) -> bool:
        """Tell whether a complaint of this kind may be written now (seconds, monotonic)."""
        last = self._last.get(kind)
        if last is not None and now - last < self.quiet_seconds:
            self._held_back[kind] = self._held_back.get(kind, 0) + 1
            return False
        self._last[kind] = now
        return True

    def held_back(self, kind: str) -> int:
        """Return how many were not written since the last one was, and begin at zero again."""
        return self._held_back.pop(kind, 0)

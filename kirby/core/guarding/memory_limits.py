"""Whose memory is watched on a host, and who is over the limit."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from kirby.core.durations import write_size
from kirby.core.names import AttemptId


@dataclass(frozen=True, kw_only=True)
class Watched:
    """A script that lives."""

    pid: int
    limit: int  # bytes of the whole tree; 0: none, its memory is only told
    is_stopped: bool = False  # it was asked to end for its memory


@dataclass(frozen=True, kw_only=True)
class MemoryLimits:
    """The scripts of one Watchdog."""

    scripts: Mapping[AttemptId, Watched] = field(default_factory=dict)

    def begun(self, attempt: AttemptId, *, pid: int, limit: int) -> "MemoryLimits":
        """Watch a script that has a process."""
        if not pid:
            return self
        known = self.scripts.get(attempt)
        stopped = known is not None and known.is_stopped
        watched = Watched(pid=pid, limit=limit, is_stopped=stopped)
        return replace(self, scripts={**self.scripts, attempt: watched})

    def ended(self, attempt: AttemptId) -> "MemoryLimits":
        """Watch a script no longer."""
        rest = {other: each for other, each in self.scripts.items() if other != attempt}
        return replace(self, scripts=rest)

    def sampled(
        self, memory: Mapping[int, int]
    ) -> tuple["MemoryLimits", list[tuple[AttemptId, str]]]:
        """Return who is to be stopped now, each with a sentence; `memory` in bytes by pid."""
        over: list[tuple[AttemptId, str]] = []
        scripts = dict(self.scripts)
        for attempt, each in self.scripts.items():
            used = memory.get(each.pid, 0)
            if each.limit and used > each.limit and not each.is_stopped:
                sentence = (
                    f"it took {write_size(used)} of memory, over its limit of "
                    f"{write_size(each.limit)}"
                )
                over.append((attempt, sentence))
                scripts[attempt] = replace(each, is_stopped=True)
        return replace(self, scripts=scripts), over

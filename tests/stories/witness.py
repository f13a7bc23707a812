"""What scripts themselves say of their lives: a file of lines that each of them synced."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One line: a script `began`, `ended`, has a `child`, or something of its own."""

    step: str
    run: str  # of a daemon its instance
    attempt: int
    at: datetime
    due: datetime | None  # of a daemon None
    host: str
    pid: int
    token: int

    @property
    def context(self) -> str:
        """Return `job/env`."""
        return self.run.partition("@")[0].partition("#")[0]

    @property
    def life(self) -> tuple[str, int]:
        """Return which attempt of which run."""
        return self.run, self.attempt


@dataclass(frozen=True, kw_only=True)
class Witness:
    """The file. Nothing of Kirby writes it or reads it."""

    path: Path

    def entries(self, step: str = "", *, of: str = "") -> list[Entry]:
        """Return the lines, all or those of a step, of a context, run or instance."""
        if not self.path.exists():
            return []
        whole = self.path.read_bytes().rpartition(b"\n")[0]  # the last line may be half there
        found = [_entry(json.loads(line)) for line in whole.splitlines()]
        return [e for e in found if step in ("", e.step) and of in ("", e.run, e.context)]

    def began(self, of: str = "") -> list[Entry]:
        """Return the beginnings."""
        return self.entries("began", of=of)

    def dues(self, context: str, *, among: Collection[datetime]) -> list[datetime]:
        """Return the due instants of the attempts that began, in order, a repeated one repeated."""
        return sorted(e.due for e in self.began(context) if e.due is not None and e.due in among)

    def twice(self) -> dict[tuple[str, int], int]:
        """Return the attempts that began more than once; there must be none (I2)."""
        return {life: n for life, n in Counter(e.life for e in self.began()).items() if n > 1}

    def pids(self, of: str) -> set[int]:
        """Return all processes of a run, a context or an instance, children included."""
        return {entry.pid for entry in self.entries(of=of)}


def _entry(line: Mapping[str, Any]) -> Entry:
    due = line["due"]
    return Entry(
        step=line["step"],
        run=line["run"],
        attempt=line["attempt"],
        at=datetime.fromtimestamp(line["at"], UTC),
        due=datetime.fromisoformat(due) if due else None,
        host=line["host"],
        pid=line["pid"],
        token=line["token"],
    )

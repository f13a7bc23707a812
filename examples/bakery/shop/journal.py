"""Entries that survive a crash: JSON lines, synced before anybody is told."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any


class Journal:
    """An append-only file. A last line that a crash has cut off was told to nobody: it goes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        self._entries = list(_read(path))
        self._file = path.open("ab")
        self._file.truncate(sum(len(_line(entry)) for entry in self._entries))

    def take_entries(self) -> list[dict[str, Any]]:
        """Return what was written before, once."""
        entries, self._entries = self._entries, []
        return entries

    def write(self, entry: dict[str, Any]) -> None:
        """Append an entry and sync it."""
        self._file.write(_line(entry))
        self._file.flush()
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


def _line(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def _read(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    for line in path.read_bytes().split(b"\n")[:-1]:
        yield json.loads(line)

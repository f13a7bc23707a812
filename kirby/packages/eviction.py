"""Remove the environments that were used least recently, never one in use."""

import os
import shutil
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kirby.packages.environments import MANIFEST, Manifest, Places
from kirby.packages.locks import held_if_free

MOST = 200  # environments of a host; most of each is shared with the installer's cache
MOST_BYTES = 20 * 1024**3
# Between finding an environment and the start of its script lie seconds, after a restart of Kirby
# minutes; whatever was used so recently stays.
RECENT_SECONDS = 3600.0
REPLACED_SECONDS = 7 * 86_400.0  # what no build has used for so long belongs to a former Kirby


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much may lie on the disk."""

    count: int = MOST
    own_bytes: int = MOST_BYTES
    recent_seconds: float = RECENT_SECONDS


@dataclass(frozen=True, kw_only=True, order=True)
class Entry:
    """An environment on the disk, ordered by its last use."""

    used: float  # seconds since 1970
    key: str
    own_bytes: int = 0


def surplus(entries: Iterable[Entry], limits: Limits, now: float) -> list[Entry]:
    """Return the entries that may go, the least recently used first, until the limits are kept.

    What was used recently is never among them, even if the limits are not kept then.
    """
    ordered = sorted(entries)
    count, total = len(ordered), sum(entry.own_bytes for entry in ordered)
    going: list[Entry] = []
    for entry in ordered:
        kept = count <= limits.count and total <= limits.own_bytes
        if kept or now - entry.used < limits.recent_seconds:
            break
        going.append(entry)
        count, total = count - 1, total - entry.own_bytes
    return going


def evict(places: Places, limits: Limits, now: float) -> list[str]:
    """Remove what is over the limits and in no use; return the keys that went."""
    over = surplus(_entries(places), limits, now)
    busy = in_use([places.folder / entry.key for entry in over]) if over else frozenset()
    gone = []
    for entry in over:
        path = places.folder / entry.key
        with held_if_free(places.lock(entry.key)) as mine:
            # Used since the list was made? Then its manifest is younger.
            if mine and path not in busy and _used(path) == entry.used:
                trash = places.drafts / f"{entry.key}@{os.getpid()}-gone"
                path.rename(trash)
                shutil.rmtree(trash, ignore_errors=True)
                gone.append(entry.key)
    return gone


def sweep(places: Places, now: float) -> None:
    """Remove what killed builds left behind, and what belongs to a former Kirby."""
    for draft in places.drafts.iterdir():
        with held_if_free(places.lock(draft.name.partition("@")[0])) as mine:
            if mine:
                shutil.rmtree(draft, ignore_errors=True)
    for lock in places.locks.iterdir():
        with held_if_free(lock) as mine:
            if mine and not (places.folder / lock.name).exists():
                lock.unlink()  # whoever waits for it looks whether it is still there
    for old in (*places.wheels.iterdir(), *places.folder.glob(".foundation-*")):
        with suppress(OSError):
            if old.is_dir() and now - old.stat().st_mtime > REPLACED_SECONDS:
                shutil.rmtree(old, ignore_errors=True)


def in_use(paths: Iterable[Path]) -> frozenset[Path]:
    """Return those below which a process of this machine has its program, or a file mapped."""
    wanted = {os.fsencode(f"{path}/"): path for path in paths}
    used: set[Path] = set()
    for process in os.scandir("/proc"):
        if process.name.isdigit():
            text = b"".join(_read(f"{process.path}/{name}") for name in ("cmdline", "maps"))
            used |= {path for prefix, path in wanted.items() if prefix in text}
    return frozenset(used)


def _read(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError:  # it has ended, or it is another user's
        return b""


def _entries(places: Places) -> list[Entry]:
    found = []
    for key in places.all_keys():
        path = places.folder / key
        used = _used(path)
        if used is not None:
            found.append(Entry(used=used, key=key, own_bytes=_own_bytes(path)))
    return found


def _used(path: Path) -> float | None:
    try:
        return (path / MANIFEST).stat().st_mtime
    except OSError:
        return None


def _own_bytes(path: Path) -> int:
    try:
        return msgspec.json.decode((path / MANIFEST).read_bytes(), type=Manifest).own_bytes
    except (OSError, msgspec.DecodeError):
        return 0

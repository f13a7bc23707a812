"""Reads a run folder and keeps in it how far it was shipped (ARCHITECTURE, "The run folder").

The shim writes everything here but `shipped.json`, and goes on writing while this reads.
"""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kirby.core.errors import Damaged
from kirby.core.names import AttemptId
from kirby.core.shipping.folders import Chunk, Progress
from kirby.core.shipping.run_folder import Entry, Order, attempt_of_folder, read_journal, read_order
from kirby.host.state import PRIVATE_FOLDER, write_private

ORDER = "armed.json"
JOURNAL = "journal"
PROGRESS = "shipped.json"
OUTPUT = "output."
SET_ASIDE = "set-aside"  # beside `runs`: what cannot be shipped, for people to look at
CHUNK_BYTES = 1_000_000  # read at once; a frame has 64 KiB at most

_PROGRESS = msgspec.json.Decoder(Progress)


@dataclass(frozen=True, kw_only=True)
class RunFolder:
    """One attempt's folder."""

    path: Path

    @property
    def attempt(self) -> AttemptId | None:
        """The attempt that the folder's name says."""
        return attempt_of_folder(self.path.name)

    def order(self) -> Order:
        """Read what was armed.

        Raises:
            Damaged: it cannot be read.
        """
        return read_order(self._read(ORDER))

    def journal(self) -> tuple[Entry, ...]:
        """Read the steps that are written so far.

        Raises:
            Damaged: one cannot be read.
        """
        return read_journal(self._read(JOURNAL))

    def progress(self) -> Progress:
        """Read how far the folder was shipped: not at all, where that is not written.

        Raises:
            Damaged: it is no such record.
        """
        if not (self.path / PROGRESS).exists():
            return Progress()
        try:
            return _PROGRESS.decode(self._read(PROGRESS))
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise Damaged(f"its {PROGRESS} cannot be read ({fault})") from fault

    def keep(self, progress: Progress) -> None:
        """Write how far the folder was shipped, synced."""
        write_private(self.path / PROGRESS, msgspec.json.encode(progress).decode())

    def chunk(self, progress: Progress, limit: int = CHUNK_BYTES) -> Chunk:
        """Read output from where the progress stands; read the journal before.

        Raises:
            Damaged: it cannot be read.
        """
        files = self.output_files()
        later = [number for number in files if number > progress.file]
        if progress.file not in files:  # not begun yet, or removed when it was shipped
            return Chunk(is_last=not later, next_file=later[0] if later else None)
        data = self._read_output(progress.file, progress.offset, limit + 1)
        if len(data) > limit:
            return Chunk(data=data[:limit], is_last=False)
        return Chunk(data=data, is_last=not later, next_file=later[0] if later else None)

    def last_output(self) -> bytes:
        """Return the last two files of raw output, which begin with a whole frame."""
        return b"".join(self._read_output(number, 0, -1) for number in self.output_files()[-2:])

    def output_files(self) -> list[int]:
        """Return the numbers of the output files, in order."""
        names = (path.name.removeprefix(OUTPUT) for path in self.path.glob(f"{OUTPUT}*"))
        return sorted(int(name) for name in names if name.isdigit())

    def drop_output_before(self, number: int) -> None:
        """Remove output files that were shipped: a daemon's limit is what lies there unshipped."""
        for file in self.output_files():
            if file < number:
                self._output(file).unlink(missing_ok=True)

    def set_aside(self, place: Path) -> Path:
        """Move the folder out of the way, for people to look at; return where it went.

        The shim must hold it no longer: have it told `shipped` after this.
        """
        place.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        target = place / self.path.name
        self.path.rename(target)
        return target

    def _output(self, number: int) -> Path:
        return self.path / f"{OUTPUT}{number:06}"

    def _read_output(self, number: int, offset: int, limit: int) -> bytes:
        try:
            with self._output(number).open("rb") as file:
                file.seek(offset)
                return file.read(limit)
        except FileNotFoundError:
            return b""
        except OSError as fault:
            raise Damaged(f"its output cannot be read ({fault.strerror})") from fault

    def _read(self, name: str) -> bytes:
        try:
            return (self.path / name).read_bytes()
        except OSError as fault:
            raise Damaged(f"its {name} cannot be read ({fault.strerror})") from fault


def run_folders(runs: Path) -> Iterator[RunFolder]:
    """Pass over the folders of attempts below `runs`, oldest first."""
    found = []
    for path in runs.iterdir():
        if attempt_of_folder(path.name):
            with contextlib.suppress(FileNotFoundError):
                found.append((path.stat().st_ctime_ns, path))
    for _, path in sorted(found):
        yield RunFolder(path=path)

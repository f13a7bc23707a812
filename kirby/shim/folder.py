"""A run folder as the shim writes it: what was armed, the journal, pipes, output, `work`."""

import json
import os

from kirby.shim import pipes
from kirby.shim.kernel import boot_ns, wall_ns
from kirby.shim.requests import Order, Request

JOURNAL_BLOCK = 4096  # taken from the disk at once, so that the end can be noted on a full one
RECORD = "armed.json"


def name_of(run: str, attempt: int) -> str:
    """Return the folder's name; ids hold no dot, so no two have the same."""
    return f"{run.replace('/', '.')}.{attempt}"


def mark_of(state: str) -> str:
    """Return what tells a state folder from all others of this machine, copies too."""
    place = os.stat(state)
    return f"{place.st_dev:x}-{place.st_ino:x}"


class RunFolder:
    """Writes below `runs/<name>/`."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.steps: list[Request] = []
        self._end = 0
        self._journal = -1

    def make(self, order: Order, boot_id: str) -> None:
        """Make the folder with everything that a script needs.

        Raises:
            OSError: the disk is full, for one.
        """
        os.mkdir(self.path, 0o700)
        try:
            os.mkdir(f"{self.path}/work", 0o700)
            pipes.make(self.path)
            write_whole(f"{self.path}/{RECORD}", record_of(order, boot_id))
            self._open()
            os.posix_fallocate(self._journal, 0, JOURNAL_BLOCK)
        except OSError:
            self.remove()
            raise

    def load(self) -> None:
        """Read the journal back and go on writing after its last whole line."""
        self._open()
        data = os.pread(self._journal, os.fstat(self._journal).st_size, 0)
        self.steps, self._end = read_lines(data)

    def append(self, step: Request) -> None:
        """Write one step; it has its instants already."""
        line = json.dumps(step, separators=(",", ":")).encode() + b"\n"
        os.pwrite(self._journal, line, self._end)
        self._end += len(line)
        self.steps.append(step)

    def has(self, step: str) -> bool:
        """Tell whether a step is in the journal."""
        return any(one.get("step") == step for one in self.steps)

    def close(self) -> None:
        """Close the journal, and cut off what was taken ahead: nothing more will be written."""
        if self._journal >= 0:
            os.ftruncate(self._journal, self._end)
            os.close(self._journal)
            self._journal = -1
            self.steps.clear()

    def remove(self) -> None:
        """Remove the folder and all that is in it."""
        self.close()
        remove_tree(self.path)

    def _open(self) -> None:
        if self._journal < 0:
            path = f"{self.path}/journal"
            self._journal = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)


def record_of(order: Order, boot_id: str) -> Request:
    """Return what `armed.json` holds: never the values of `env`."""
    instants = {"boot_id": boot_id, "at_ns": wall_ns(), "boot_ns": boot_ns()}
    return {**order.kept(), **instants}


def write_whole(path: str, content: Request) -> None:
    """Write a JSON file: whole, or not at all."""
    draft = f"{path}.new"
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        data = json.dumps(content, separators=(",", ":")).encode()
        if os.write(descriptor, data) < len(data):
            raise OSError(28, "no space left on the device")
    finally:
        os.close(descriptor)
    os.rename(draft, path)


def read_lines(data: bytes) -> tuple[list[Request], int]:
    """Return the whole lines of a file that may end in zeros or half a line, and where they end."""
    lines: list[Request] = []
    end = 0
    while (stop := data.find(b"\n", end)) >= 0:
        try:
            line = json.loads(data[end:stop])
        except ValueError:
            break
        lines.append(line)
        end = stop + 1
    return lines, end


def remove_tree(path: str) -> None:
    """Remove a folder with everything in it; links are removed, never followed."""
    try:
        entries = list(os.scandir(path))
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            os.chmod(entry.path, 0o700)
            remove_tree(entry.path)
        else:
            os.unlink(entry.path)
    os.rmdir(path)

"""What /proc says of processes."""

import os

from kirby.shim.events import Key

MARK = "KIRBY_MARK"  # variable of every script: which state folder's shim started it


class Seen:
    """A process as it was seen once."""

    __slots__ = ("group", "parent", "pid", "session", "started", "state")

    def __init__(self, pid: int, fields: list[bytes]) -> None:
        self.pid = pid
        self.state = fields[0]
        self.parent = int(fields[1])
        self.group = int(fields[2])
        self.session = int(fields[3])
        self.started = int(fields[19])  # clock ticks since boot

    @property
    def zombie(self) -> bool:
        """Whether it is dead and only waits for its parent."""
        return self.state in (b"Z", b"X")


def look(pid: int) -> Seen | None:
    """Look at one process; None: it is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return Seen(pid, file.read().rpartition(b")")[2].split())
    except (OSError, IndexError):
        return None


def start_time(pid: int) -> int:
    """Return when a process began, in clock ticks since boot; 0: there is no such process."""
    seen = look(pid)
    return seen.started if seen else 0


def everyone() -> dict[int, Seen]:
    """Look at all processes."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return {seen.pid: seen for pid in pids if (seen := look(pid))}


def bears(pid: int, key: Key, mark: str) -> bool:
    """Tell whether a process has run id, attempt and the state folder's mark in its environment.

    Several hosts of one machine may well run the same attempt id, of different clusters.
    """
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            variables = file.read().split(b"\0")
    except OSError:
        return False  # gone, or another user's
    wanted = (f"KIRBY_RUN_ID={key[0]}", f"KIRBY_ATTEMPT={key[1]}", f"{MARK}={mark}")
    return all(one.encode() in variables for one in wanted)

"""Scripts that outlived an earlier shim: which process they are, and how it ended."""

import os

from kirby.shim import proc
from kirby.shim.attempt import Attempt
from kirby.shim.kernel import exit_status
from kirby.shim.process import Process
from kirby.shim.tree import Tree

EXIT_CODE, USER_TICKS, SYSTEM_TICKS = 49, 11, 12  # fields of /proc/PID/stat after the name


def find(process: Process, attempt: Attempt) -> Tree | None:
    """Return its processes, with `reaped` set where its own is gone; None: it never had any."""
    pid, started = attempt.pid, attempt.started
    if not pid:  # the shim died between starting it and writing down its number
        pid, started = _search(process)
    if not pid:
        return None
    process.tree = Tree(process.key, pid, started, process.group, process.mark)
    seen = proc.look(pid)
    process.tree.reaped = seen is None or seen.started != started or seen.zombie
    return process.tree


def _search(process: Process) -> tuple[int, int]:
    leaders = [seen for seen in proc.everyone().values() if seen.session == seen.pid]
    alive = [seen for seen in leaders if not seen.zombie]
    found = [seen for seen in alive if proc.bears(seen.pid, process.key, process.mark)]
    oldest = min(found, key=lambda seen: seen.started, default=None)
    return (oldest.pid, oldest.started) if oldest else (0, 0)


def end_of(process: Process, pidfd: int) -> int | None:
    """Return the wait status of an adopted process that has just ended; None: nobody can tell.

    The kernel tells it after it was reaped by whoever is its parent now (Linux 6.15), and /proc
    until then.
    """
    fields = _stat(process.tree.pid) if process.tree else []
    if len(fields) > EXIT_CODE and fields[0] == b"Z":
        ticks = os.sysconf("SC_CLK_TCK")
        process.cpu = int(fields[USER_TICKS]) / ticks, int(fields[SYSTEM_TICKS]) / ticks
        return int(fields[EXIT_CODE])
    return exit_status(pidfd)


def _stat(pid: int) -> list[bytes]:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()
    except OSError:
        return []

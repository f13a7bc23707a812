"""Processes of a host that outlive who started them: found again by pid and start time.

A pid alone may have gone to another process; with the start time (field 22 of /proc/PID/stat, in
clock ticks since boot) and the boot id it names one process for ever.
"""

import contextlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kirby.host.state import write_private

LOG_BYTES = 5_000_000  # of a service's words; kept twice
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ProcessId(msgspec.Struct, frozen=True, kw_only=True):
    """One process, for ever."""

    pid: int
    start_ticks: int
    boot_id: str

    @property
    def lives(self) -> bool:
        """Whether it still runs (a zombie does not)."""
        return identify(self.pid) == self

    def signal(self, number: int) -> None:
        """Send it a signal, if it lives."""
        if self.lives:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


def identify(pid: int) -> ProcessId | None:
    """Return the process that has a pid now; None if none lives."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    state, *fields = stat.rpartition(")")[2].split()
    if state in "ZX":
        return None
    return ProcessId(pid=pid, start_ticks=int(fields[18]), boot_id=_BOOT_ID.read_text().strip())


@dataclass(frozen=True, kw_only=True)
class Detached:
    """A process in a session of its own, and the file that says which it is."""

    record: Path

    def running(self) -> ProcessId | None:
        """Return the process, if it lives."""
        try:
            found = msgspec.json.decode(self.record.read_bytes(), type=ProcessId)
        except (FileNotFoundError, msgspec.DecodeError):
            return None
        return found if found.lives else None

    def start(self, command: Sequence[str], *, log: Path, env: Mapping[str, str]) -> ProcessId:
        """Start it; its output goes to `log`.

        Raises:
            OSError: the program cannot be run.
        """
        _turn_over(log)
        with log.open("ab") as output:
            child = subprocess.Popen(
                list(command),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(env),
                start_new_session=True,
            )
        child.returncode = 0  # its end is seen by a pidfd; Popen shall not warn of a living child
        process = identify(child.pid)
        if process is None:
            raise ChildProcessError(f"{command[0]} ended at once: see {log}")
        self.record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self.record, msgspec.json.encode(process).decode())
        return process

    def end(self, grace_s: float) -> None:
        """Ask it to end (SIGTERM), and kill its whole group when it does not."""
        process = self.running()
        if process is not None:
            process.signal(signal.SIGTERM)
            if not wait_for_end(process.pid, grace_s):
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                wait_for_end(process.pid, grace_s)
        self.record.unlink(missing_ok=True)


def wait_for_end(pid: int, limit_s: float) -> bool:
    """Wait until a process has ended; tell whether it did. Reaps it if it is a child."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ended = bool(select.select([descriptor], [], [], limit_s)[0])
    finally:
        os.close(descriptor)
    if ended:
        reap(pid)
    return ended


def reap(pid: int) -> None:
    """Take the exit status of a child, so that it does not stay as a zombie."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def reap_all() -> None:
    """Take the exit status of every child that ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def wait_until(what: Callable[[], bool], limit_s: float, *, every_s: float = 0.02) -> bool:
    """Look until something is so; tell whether it came to be in time."""
    until = time.monotonic() + limit_s
    while not what():
        if time.monotonic() >= until:
            return False
        time.sleep(every_s)
    return True


def _turn_over(log: Path) -> None:
    if log.exists() and log.stat().st_size > LOG_BYTES:
        log.replace(log.with_name(f"{log.name}.old"))

"""Starts and ends the shim of a state folder. It is started once, however many try at a time.

The shim itself holds the lock of its folder, so that a second one ends at once; whoever started it
only waits until one of them answers.
"""

import fcntl
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import kirby
from kirby.core.errors import ShimError, ShimRefused, ShimUnreachable
from kirby.host.processes import wait_until
from kirby.host.shim_client import ShimClient
from kirby.host.state import PRIVATE_FOLDER, StateFolder

START_WITHIN_S = 20.0  # it takes 30 ms; adopting what an earlier one left takes at most 2 s
END_WITHIN_S = 10.0
LOG_BYTES = 1_000_000
PROGRAM = Path(kirby.__file__).parent / "shim" / "main.py"


def command(folder: StateFolder) -> list[str]:
    """Return how the shim is started in the foreground, as a unit of the system does."""
    return [sys.executable, "-I", "-S", str(PROGRAM), "--state", str(folder.path)]


def ensure(folder: StateFolder) -> None:
    """See to it that a shim answers: find the one that lives, or start one in its own session.

    Raises:
        ShimUnreachable: it does not come up; the sentence names its log.
    """
    if _answers(folder):
        return
    folder.shim.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    log = folder.shim / "log"
    with log.open("ab") as output:
        if output.tell() > LOG_BYTES:
            output.truncate(0)
        subprocess.run(
            [*command(folder), "--detach"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            check=False,
        )
    if not wait_until(lambda: _answers(folder), START_WITHIN_S, every_s=0.01):
        raise ShimUnreachable(f"the shim does not start: see {log}")


def running(folder: StateFolder) -> int | None:
    """Return the pid of the shim that serves the folder, if one lives."""
    if not is_locked(folder.shim / "lock"):
        return None
    try:
        return int((folder.shim / "pid").read_text())
    except (FileNotFoundError, ValueError):
        return None  # it has just begun, or is about to end


def living_scripts(folder: StateFolder) -> list[tuple[str, int]]:
    """Return the scripts that live, each with its pid; none where no shim answers."""
    try:
        client = ShimClient(folder.shim)
    except ShimUnreachable:
        return []
    try:
        return [(one.run, one.pid) for one in client.holdings() if one.lives]
    finally:
        client.close()


def end(folder: StateFolder, *, with_scripts: bool, grace_s: float = 10.0) -> None:
    """End the shim, and wait until it is gone; a shim that is not there has ended.

    Raises:
        ShimRefused: scripts live, and they shall not end with it.
        ShimUnreachable: it does not answer, or does not end.
    """
    if running(folder) is None:
        return
    client = ShimClient(folder.shim, time_limit=timedelta(seconds=END_WITHIN_S))
    try:
        client.end(with_scripts=with_scripts, grace_ms=int(grace_s * 1000))
    except ShimUnreachable:
        if running(folder) is not None:
            raise
    finally:
        client.close()
    if not wait_until(lambda: not is_locked(folder.shim / "lock"), END_WITHIN_S):
        raise ShimUnreachable(f"the shim (pid {running(folder)}) does not end")


def is_locked(path: Path) -> bool:
    """Tell whether a living shim holds the lock of its folder."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def _answers(folder: StateFolder) -> bool:
    try:
        client = ShimClient(folder.shim)
        try:
            client.holdings()
        finally:
            client.close()
    except ShimRefused:
        return True
    except ShimError:
        return False
    return True

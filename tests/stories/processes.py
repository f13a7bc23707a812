"""Processes as the kernel tells of them: whose they are, whether they live, how they are ended."""

import contextlib
import os
import signal
from collections.abc import Iterable
from pathlib import Path

import psutil

from tests.stories.patience import eventually


def lives(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def kill(pids: Iterable[int]) -> None:
    """End processes without a word, all at once."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def of_run(run: str) -> list[int]:
    """Return the living processes that bear a run's id in their environment."""
    return [pid for pid in _all() if f"KIRBY_RUN_ID={run}" in _environment(pid)]


def of_folder(folder: Path) -> list[int]:
    """Return the living processes that a state folder's name betrays, but not this one."""
    name = str(folder)
    spared = {os.getpid(), *(parent.pid for parent in psutil.Process().parents())}
    return [pid for pid in _all() if pid not in spared and _betrayed(pid, name)]


def kill_all_of(folder: Path) -> None:
    """Leave no process of a state folder, whoever starts others meanwhile."""

    def none_is_left() -> bool:
        kill(left := of_folder(folder))
        return not left

    eventually(none_is_left, what=f"no process of {folder}", within_s=20)


def _betrayed(pid: int, name: str) -> bool:
    if any(name in word for word in [*_command(pid), *_environment(pid)]):
        return True
    with contextlib.suppress(OSError):
        return str(Path(f"/proc/{pid}/cwd").readlink()).startswith(name)
    return False


def _all() -> list[int]:
    return [int(each.name) for each in Path("/proc").iterdir() if each.name.isdigit()]


def _command(pid: int) -> list[str]:
    return _words(pid, "cmdline")


def _environment(pid: int) -> list[str]:
    return _words(pid, "environ")


def _words(pid: int, file: str) -> list[str]:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/{file}").read_bytes().decode(errors="replace").split("\0")
    return []

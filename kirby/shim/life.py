"""One life of the shim: a lock, a session of its own, the server, and what is left behind."""

import fcntl
import gc
import os
import sys
import time

from kirby.shim import descriptors, kernel
from kirby.shim.groups import Groups, find_root
from kirby.shim.server import Server

LOCK_TRIES = 10
LOCK_PAUSE_S = 0.02


def live(state: str, *, detach: bool, with_groups: bool) -> int:
    """Serve a state folder until asked to end; 0 also if another shim does already.

    `with_groups`: use control groups where they can be used.
    """
    os.umask(0o077)
    folder = f"{state}/shim"
    for path in (folder, f"{state}/runs"):
        os.makedirs(path, mode=0o700, exist_ok=True)
    if detach and os.fork():
        return 0
    lock = _lock(folder)
    if lock < 0:
        return 0
    _settle_down(folder)
    groups = Groups(find_root(state) if with_groups else "")
    sys.stderr.write(f"shim {os.getpid()} serves {state}, {described(groups)}\n")
    server = Server(state, kernel.boot_id(), groups)
    gc.freeze()
    try:
        server.serve()
    finally:
        groups.remove_root()
        for name in ("socket", "pid"):
            _remove(f"{folder}/{name}")
    return 0


def _lock(folder: str) -> int:
    """Take the one lock of the folder; -1: another shim holds it. Kept until this process ends."""
    lock = os.open(f"{folder}/lock", os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return lock
        except BlockingIOError:
            time.sleep(LOCK_PAUSE_S)  # perhaps it was only looked whether one lives
    os.close(lock)
    return -1


def _settle_down(folder: str) -> None:
    """Leave the session, the folder and the terminal of whoever started this."""
    try:
        os.setsid()
    except PermissionError:
        pass  # it leads one already, as under systemd
    os.chdir("/")
    descriptors.raise_limit()
    kernel.become_subreaper()
    with open(f"{folder}/pid", "w") as file:
        file.write(str(os.getpid()))


def described(groups: Groups) -> str:
    """Say how the processes of a script are found and limited."""
    if not groups.root:
        return "processes found by ancestry, session and run id, memory watched from outside"
    kept = "kept by the kernel" if groups.limits_memory else "watched from outside"
    return f"processes found by control groups below {groups.root}, memory {kept}"


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass

"""Starts a script's process; the failure of its exec comes back through a pipe that exec closes.

The fork happens on the shim's one thread, because the signal at the parent's death follows the
thread that forked.
"""

import errno
import os
import select
import signal

from kirby.shim.child import Child
from kirby.shim.proc import start_time
from kirby.shim.requests import Order
from kirby.shim.sockets import Socket, pair

EXEC_TIME_MS = 10_000  # an interpreter on a network disk that hangs must not hang the shim
NO_ROOM = (errno.ENOMEM, errno.EAGAIN, errno.ENOSPC, errno.EMFILE, errno.ENFILE)


class NotStarted(Exception):
    """No process: the code and the sentence of a refusal."""

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence


class Started:
    """A process that was started, with the shim's end of its gate if it has one."""

    __slots__ = ("gate", "pid", "started")

    def __init__(self, pid: int, gate: Socket | None) -> None:
        self.pid = pid
        self.started = start_time(pid)
        self.gate = gate


def start(order: Order, folder: str, group: str, parked: bool) -> Started:
    """Start the process of an attempt, at its gate or straight away, in a group if one is named.

    Raises:
        NotStarted: there is no such interpreter, or no room for a process.
    """
    try:
        shim, own = pair() if parked else (None, None)
        reading, writing = os.pipe()
    except OSError as fault:
        raise NotStarted("no_room", f"no process could be started: {fault.strerror}") from None
    try:
        pid = _fork(order, folder, group, own, writing)
        os.close(writing)
        writing = -1
        _await_exec(reading, pid, order.argv[0])
    except NotStarted:
        if shim:
            shim.close()
        raise
    finally:
        if own:
            own.close()
        for descriptor in (reading, writing):
            if descriptor >= 0:
                os.close(descriptor)
    return Started(pid, shim)


def _fork(order: Order, folder: str, group: str, gate: Socket | None, failed: int) -> int:
    parent = os.getpid()
    try:
        pid = os.fork()
    except OSError as fault:
        raise NotStarted("no_room", f"no process could be started: {fault.strerror}") from None
    if not pid:
        Child(order, folder, group, failed).become(gate, parent)
    return pid


def _await_exec(reading: int, pid: int, program: str) -> None:
    """Wait until the exec has closed its end of the pipe, or told its failure."""
    poll = select.poll()
    poll.register(reading, select.POLLIN)
    answered = poll.poll(EXEC_TIME_MS)
    failure = os.read(reading, 16) if answered else str(errno.ETIMEDOUT).encode()
    if not failure:
        return
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    number = int(failure)
    if number in NO_ROOM:
        raise NotStarted("no_room", f"no process could be started: {os.strerror(number)}")
    raise NotStarted("not_found", f"{program} cannot be started: {os.strerror(number)}")

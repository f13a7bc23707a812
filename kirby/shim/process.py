"""What the shim holds in its hands of one attempt: folder, pipes, gate, processes."""

import os

from kirby.shim import groups
from kirby.shim.events import Gone, Key
from kirby.shim.folder import RunFolder
from kirby.shim.frames import Frames
from kirby.shim.kernel import MILLISECOND
from kirby.shim.pipes import Drain
from kirby.shim.proc import MARK
from kirby.shim.requests import Order, Request
from kirby.shim.sockets import WITHOUT_WAITING, Socket
from kirby.shim.spawn import start
from kirby.shim.tree import Tree

GO = b"g"
REST = 128  # of the byte that lets go in company, as `gate.py` says it
REST_EACH_NS = 2 * MILLISECOND  # of one core; to its first line an interpreter takes 1.2 ms
LONGEST_REST_NS = 200 * MILLISECOND
REST_STEP_NS = 2 * MILLISECOND
CORES = len(os.sched_getaffinity(0))
MOMENT_BYTES = 8
GATE_CLOSED = 113  # as `gate.py` says it


def go(company: int, cores: int) -> bytes:
    """Return the byte that opens the gate of one of so many that are let go together."""
    if company <= cores:
        return GO
    rest = min(company * REST_EACH_NS // cores, LONGEST_REST_NS)
    return bytes([REST + max(1, rest // REST_STEP_NS)])


class Process:
    """An attempt's means; without a tree it has no process yet."""

    def __init__(self, order: Order, folder: RunFolder, mark: str) -> None:
        self.order = order
        self.mark = mark  # of the state folder, in the environment of all that it starts
        self.folder = folder
        self.drain: Drain | None = None
        self.gate: Socket | None = None
        self.tree: Tree | None = None
        self.group = ""
        self.lazy: list[Request] = []  # steps that wait for a quiet moment
        self.left = False  # its own process is gone
        self.adopted = False
        self.unproven = False  # adopted, and nobody knows whether its gate was opened
        self.released = False
        self.finished = False  # nothing of it is left, and that was told
        self.shipped = False  # its folder can go as soon as it is finished
        self.status: int | None = None
        self.cpu = (0.0, 0.0)
        self.maxrss = 0
        self._told = b""

    @property
    def key(self) -> Key:
        """Return the attempt's name."""
        return self.order.run, self.order.attempt

    def open(self) -> Drain:
        """Open the pipes and the output."""
        order = self.order
        frames = Frames(self.folder.path, order.output_limit, order.kind == "daemon")
        self.drain = Drain(self.folder.path, frames)
        return self.drain

    def start(self, parked: bool) -> None:
        """Start the process.

        Raises:
            NotStarted: with the reason.
        """
        self.order.env = {**self.order.env, MARK: self.mark}
        started = start(self.order, self.folder.path, self.group, parked)
        self.gate = started.gate
        self.tree = Tree(self.key, started.pid, started.started, self.group, self.mark)
        self.order.env = {}  # secrets are not kept longer than they are needed

    def let_go(self, company: int) -> None:
        """Open the gate, and say how long to rest before the end, for the others to begin."""
        self.released = True
        if self.gate:
            try:
                self.gate.send(go(company, CORES))
            except OSError:
                pass  # its process died just now; its end is on the way

    def first_line(self) -> int:
        """Return the moment that the gate told; 0: it has not yet."""
        if not self.gate:
            return 0
        try:
            data = self.gate.recv(64, WITHOUT_WAITING)
        except BlockingIOError:
            return 0
        except OSError:
            data = b""
        self._told += data
        moment = self._told[1 : 1 + MOMENT_BYTES]  # after the READY of the gate
        if len(moment) == MOMENT_BYTES:
            self.close_gate()
            return int.from_bytes(moment, "big")
        if not data:
            self.close_gate()
        return 0

    def close_gate(self) -> None:
        """Close the gate: a process that waits there ends."""
        if self.gate:
            self.gate.close()
            self.gate = None

    def gone(self) -> Gone:
        """Close everything; return what is to be told."""
        self.close_gate()
        dropped = self.drain.finish() if self.drain else 0
        self.drain = None
        out_of_memory = bool(self.group) and groups.ran_out_of_memory(self.group)
        if self.group:
            groups.remove(self.group)
        gate_closed = self.unproven and self.status == GATE_CLOSED << 8
        return Gone(
            self.key,
            self.status,
            cpu=self.cpu,
            maxrss=self.maxrss,
            dropped=dropped,
            out_of_memory=out_of_memory,
            closed_gate=gate_closed,
        )

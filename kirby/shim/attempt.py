"""One attempt as the shim holds it, from its arming until its folder is shipped."""

from kirby.shim.events import Key
from kirby.shim.phases import Move, Phase, after
from kirby.shim.requests import Order, Request


class Attempt:
    """An attempt with a folder. Instants in nanoseconds of CLOCK_BOOTTIME; 0: none."""

    __slots__ = (
        "durable",
        "folder",
        "kill_at",
        "left",
        "limit_at",
        "order",
        "phase",
        "pid",
        "released",
        "since",
        "started",
        "stop",
        "to",
    )

    def __init__(self, order: Order, now: int, to: object = None) -> None:
        self.order = order
        self.phase = Phase.ARMED
        self.since = now
        self.folder = ""
        self.pid = 0
        self.started = 0
        self.durable = False  # its `releasing` is on the disk
        self.released = 0
        self.limit_at = 0
        self.kill_at = 0
        self.left = 0  # when its own process ended; what it left is being ended since
        self.stop = ""  # why it was stopped
        self.to = to  # who waits for the answer to its arm

    @property
    def key(self) -> Key:
        """Return its name."""
        return self.order.run, self.order.attempt

    def move(self, move: Move, now: int) -> None:
        """Enter the next phase."""
        self.phase = after(self.phase, move)
        self.since = now
        if self.phase is Phase.ENDED:
            self.limit_at = self.kill_at = 0

    def held(self) -> Request:
        """Return what a request is told of it."""
        return {
            "run": self.order.run,
            "attempt": self.order.attempt,
            "phase": self.phase.value,
            "folder": self.folder,
        }

    def listed(self) -> Request:
        """Return its line of the list."""
        return {
            **self.held(),
            "context": self.order.context,
            "kind": self.order.kind,
            "since_ns": self.since,
            "pid": self.pid,
            "exclusive": self.order.exclusive,
            "meta": self.order.meta,
        }

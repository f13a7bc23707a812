"""What the shell has to do, in this order. Nobody is told anything before it is on the disk."""

from kirby.shim.events import Key
from kirby.shim.requests import Order, Request
from kirby.shim.value import Value


class Answer(Value):
    """Answer a request, once everything noted before is synced."""

    __slots__ = ("fields", "to")

    def __init__(self, to: object, **fields: object) -> None:
        self.to = to
        self.fields = fields


class Deed(Value):
    """Something to be done with one attempt."""

    __slots__ = ("key",)

    def __init__(self, key: Key) -> None:
        self.key = key


class Take(Deed):
    """Make the folder; start the process too if `start`. Tell `Taken` or `NotTaken`."""

    __slots__ = ("order", "start")

    def __init__(self, key: Key, order: Order, start: bool) -> None:
        super().__init__(key)
        self.order = order
        self.start = start


class Launch(Deed):
    """Start the process of an attempt that was not parked. Tell `Taken` or `NotTaken`."""

    __slots__ = ()


class Release(Deed):
    """Let the parked process go, one of so many that begin together."""

    __slots__ = ("company",)

    def __init__(self, key: Key, company: int = 1) -> None:
        super().__init__(key)
        self.company = company


class Close(Deed):
    """Close the gate of a process that will never be let go, and end it."""

    __slots__ = ()


class Terminate(Deed):
    """Send SIGTERM to the script's process group."""

    __slots__ = ()


class Kill(Deed):
    """Send SIGKILL to the whole tree until nothing is left."""

    __slots__ = ()


class Discard(Deed):
    """Remove the folder."""

    __slots__ = ()


class Note(Deed):
    """Write a step into the journal; `lazily`: not before the machine has a moment."""

    __slots__ = ("lazily", "step")

    def __init__(self, key: Key, step: Request, lazily: bool = False) -> None:
        super().__init__(key)
        self.step = step
        self.lazily = lazily


class Remember(Deed):
    """Keep what became of an attempt beyond its folder (`barred`, `shipped`)."""

    __slots__ = ("outcome",)

    def __init__(self, key: Key, outcome: str) -> None:
        super().__init__(key)
        self.outcome = outcome


class KeepCounters(Value):
    """Write the newest life and the daemons' counters."""

    __slots__ = ()


class Quit(Value):
    """End the shim."""

    __slots__ = ()


Effect = (
    Answer
    | Take
    | Launch
    | Release
    | Close
    | Terminate
    | Kill
    | Discard
    | Note
    | Remember
    | KeepCounters
    | Quit
)

"""What happens to the book: requests that were checked, and what the shell tells of processes.

`to` is where the answer goes; the book only hands it back.
"""

from kirby.shim.requests import (
    DEFAULT_GRACE_MS,
    LONGEST_SENTENCE,
    Order,
    Request,
    flag,
    run_of,
    text,
    whole,
)
from kirby.shim.value import Value

Key = tuple[str, int]  # run or instance id, attempt


class Asked(Value):
    """A request of a connection."""

    __slots__ = ("to",)

    def __init__(self, to: object) -> None:
        self.to = to


class Hello(Asked):
    """A Runner begins."""

    __slots__ = ("incarnation", "log")

    def __init__(self, to: object, request: Request) -> None:
        super().__init__(to)
        self.incarnation = whole(request, "incarnation")
        self.log = text(request, "log", "")[:LONGEST_SENTENCE]


class Arm(Asked):
    """An attempt is to be run. `room` says whether the disk has room for what it will note."""

    __slots__ = ("order", "room")

    def __init__(self, to: object, request: Request, room: bool = True) -> None:
        super().__init__(to)
        self.order = Order(request)
        self.room = room


class Named(Asked):
    """A request that names an attempt. Attempt 0 of a daemon: the one that lives."""

    __slots__ = ("attempt", "run")

    def __init__(self, to: object, request: Request) -> None:
        super().__init__(to)
        self.run = run_of(request)
        self.attempt = whole(request, "attempt")

    @property
    def key(self) -> Key:
        """Return the name of the attempt."""
        return self.run, self.attempt


class Bar(Named):
    """An attempt must not begin any more."""

    __slots__ = ("incarnation", "room", "sentence")

    def __init__(self, to: object, request: Request, room: bool = True) -> None:
        super().__init__(to, request)
        self.incarnation = whole(request, "incarnation")
        self.sentence = text(request, "sentence", "withdrawn")[:LONGEST_SENTENCE]
        self.room = room


class Stop(Bar):
    """An attempt is to end: SIGTERM, grace, SIGKILL to all that is left."""

    __slots__ = ("by", "grace_ms", "reason")

    def __init__(self, to: object, request: Request, room: bool = True) -> None:
        super().__init__(to, request, room)
        named = request.get("grace_ms") is not None
        self.grace_ms = whole(request, "grace_ms") if named else None  # None: as it was armed
        self.reason = text(request, "reason", "asked")[:LONGEST_SENTENCE]
        self.by = text(request, "by", "runner")[:LONGEST_SENTENCE]


class Renew(Asked):
    """The host's lease was renewed."""

    __slots__ = ("incarnation", "lease_ends")

    def __init__(self, to: object, request: Request) -> None:
        super().__init__(to)
        self.incarnation = whole(request, "incarnation")
        self.lease_ends = whole(request, "lease_ends_boot_ns")


class List(Asked):
    """What is held?"""

    __slots__ = ()

    def __init__(self, to: object, request: Request) -> None:
        super().__init__(to)


class Shipped(Named):
    """All that the folder of an attempt held is in Kafka."""

    __slots__ = ()


class End(Asked):
    """The shim is to end."""

    __slots__ = ("grace_ms", "with_scripts")

    def __init__(self, to: object, request: Request) -> None:
        super().__init__(to)
        self.with_scripts = flag(request, "with_scripts", False)
        self.grace_ms = whole(request, "grace_ms", DEFAULT_GRACE_MS)


REQUESTS: dict[str, type[Hello | Arm | Bar | Renew | List | Shipped | End]] = {
    "hello": Hello,
    "arm": Arm,
    "bar": Bar,
    "stop": Stop,
    "renew": Renew,
    "list": List,
    "shipped": Shipped,
    "end": End,
}


class Tick(Value):
    """Time has passed."""

    __slots__ = ()


class Synced(Value):
    """Everything noted so far is on the disk."""

    __slots__ = ()


class Told(Value):
    """What the shell tells of an attempt."""

    __slots__ = ("key",)

    def __init__(self, key: Key) -> None:
        self.key = key


class Taken(Told):
    """Its folder is made, and its process started if `pid` is not 0."""

    __slots__ = ("folder", "pid", "started")

    def __init__(self, key: Key, folder: str = "", pid: int = 0, started: int = 0) -> None:
        super().__init__(key)
        self.folder = folder
        self.pid = pid
        self.started = started  # the process' start time, by which it is told from a later one


class NotTaken(Told):
    """Its folder could not be made, or its process not started; neither is there."""

    __slots__ = ("code", "sentence")

    def __init__(self, key: Key, code: str, sentence: str) -> None:
        super().__init__(key)
        self.code = code
        self.sentence = sentence


class FirstLine(Told):
    """The gate has handed the interpreter to the script, at this instant."""

    __slots__ = ("instant",)

    def __init__(self, key: Key, instant: int) -> None:
        super().__init__(key)
        self.instant = instant


class Exited(Told):
    """The script's own process ended; what it left behind is being ended."""

    __slots__ = ()


class Gone(Told):
    """Nothing of it is left. `status` is the wait status, None: nobody can tell."""

    __slots__ = ("closed_gate", "cpu", "dropped", "maxrss", "out_of_memory", "status")

    def __init__(
        self,
        key: Key,
        status: int | None,
        *,
        cpu: tuple[float, float] = (0.0, 0.0),
        maxrss: int = 0,
        dropped: int = 0,
        out_of_memory: bool = False,
        closed_gate: bool = False,
    ) -> None:
        super().__init__(key)
        self.status = status
        self.cpu = cpu  # user and system seconds
        self.maxrss = maxrss  # bytes
        self.dropped = dropped  # bytes of output
        self.out_of_memory = out_of_memory
        self.closed_gate = closed_gate  # adopted, and it ended with the gate's own status

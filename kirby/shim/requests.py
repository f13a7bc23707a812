"""What is asked of the shim, checked field by field before anything is decided."""

from kirby.shim import refusals
from kirby.shim.kernel import MILLISECOND
from kirby.shim.value import Value

Request = dict[str, object]

KINDS = ("run", "daemon")
RUN_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-/@:#~+")
LONGEST_RUN = 220  # the folder's name, a number with it, has to fit into 255 bytes
LONGEST_SENTENCE = 500  # the journal's first block holds all steps of an attempt
FOREVER_NS = 1 << 62
DEFAULT_GRACE_MS = 10_000
DEFAULT_OUTPUT = 50_000_000  # bytes


class Order(Value):
    """An attempt as it was armed. Instants and durations in nanoseconds of CLOCK_BOOTTIME."""

    __slots__ = (
        "argv",
        "attempt",
        "context",
        "deadline",
        "env",
        "exclusive",
        "grace",
        "incarnation",
        "kind",
        "memory_limit",
        "meta",
        "not_before",
        "not_before_wall",
        "output_limit",
        "prestart",
        "run",
        "time_limit",
    )

    def __init__(self, request: Request) -> None:
        self.incarnation = whole(request, "incarnation")
        self.run = run_of(request)
        self.attempt = whole(request, "attempt")
        self.context = text(request, "context")
        self.kind = text(request, "kind")
        self.argv = texts(request, "argv")
        self.env = variables(request, "env")
        self.not_before = whole(request, "not_before_boot_ns", 0)
        self.not_before_wall = whole(request, "not_before_ns", 0)
        self.deadline = whole(request, "deadline_boot_ns", 0) or FOREVER_NS
        self.time_limit = whole(request, "time_limit_ms", 0) * MILLISECOND
        self.grace = whole(request, "grace_ms", DEFAULT_GRACE_MS) * MILLISECOND
        self.memory_limit = whole(request, "memory_limit", 0)
        self.output_limit = whole(request, "output_limit", DEFAULT_OUTPUT)
        self.prestart = flag(request, "prestart", True)
        self.exclusive = flag(request, "exclusive", False)
        self.meta = request.get("meta") or {}
        if self.kind not in KINDS:
            raise refusals.invalid("kind", 'is "run" or "daemon"')
        if not self.attempt and self.kind == "run":
            raise refusals.invalid("attempt", "of a run is 1 or more")

    def kept(self) -> Request:
        """Return what may lie on the disk: everything but the values in `env`, and the rest."""
        names = (name for name in self.__slots__ if name != "env")
        return {name: getattr(self, name) for name in names}


def kept_order(record: Request) -> Order:
    """Read an order back from what was kept of it.

    Raises:
        KeyError: a field is missing.
    """
    order = Order.__new__(Order)
    order.env = {}
    for name in Order.__slots__:
        if name != "env":
            setattr(order, name, record[name])
    return order


def whole(request: Request, field: str, default: int | None = None) -> int:
    """Return a whole number that is not negative."""
    value = request.get(field)
    if value is None and default is not None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= FOREVER_NS:
        raise refusals.invalid(field, "is a whole number, 0 or more")
    return value


def flag(request: Request, field: str, default: bool) -> bool:
    """Return true or false."""
    value = request.get(field, default)
    if not isinstance(value, bool):
        raise refusals.invalid(field, "is true or false")
    return value


def text(request: Request, field: str, default: str | None = None) -> str:
    """Return a text without a zero byte."""
    value = request.get(field, default)
    if not isinstance(value, str) or "\0" in value:
        raise refusals.invalid(field, "is a text")
    return value


def texts(request: Request, field: str) -> list[str]:
    """Return a list of texts, at least one."""
    value = request.get(field)
    if not isinstance(value, list) or not value:
        raise refusals.invalid(field, "is a list of texts, at least one")
    if not all(isinstance(part, str) and "\0" not in part for part in value):
        raise refusals.invalid(field, "is a list of texts, at least one")
    return value


def variables(request: Request, field: str) -> dict[str, str]:
    """Return the variables of a process."""
    value = request.get(field, {})
    if not isinstance(value, dict):
        raise refusals.invalid(field, "is an object of texts")
    for name, content in value.items():
        if not name or "=" in name or not isinstance(content, str) or "\0" in name + content:
            raise refusals.invalid(field, "is an object of texts")
    return value


def run_of(request: Request) -> str:
    """Return the run or instance id; a folder is named after it, so its signs are few."""
    run = text(request, "run")
    if not 0 < len(run) <= LONGEST_RUN or not run[0].isalnum() or not RUN_SIGNS.issuperset(run):
        raise refusals.invalid("run", "is the id of a run or of a daemon's instance")
    return run

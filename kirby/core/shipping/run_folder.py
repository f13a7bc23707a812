"""What stands in a run folder: the order as it was armed, and the journal of what happened.

The shim writes both (ARCHITECTURE, "The run folder"); `meta` is what the Watchdog gave along.
"""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from kirby.core.errors import Damaged
from kirby.core.names import AttemptId, ContextKey, Incarnation
from kirby.core.nouns import Noun, Variable

FINAL_STEPS = frozenset({"exited", "not_started", "lost"})


class Meta(Noun, frozen=True, kw_only=True):
    """What the Watchdog wants to find again in the folder."""

    package: str = ""
    claimed_at: datetime | None = None
    clock_offset_seconds: float = 0.0  # this host's clock minus the broker's, when it was armed
    sealed: tuple[Variable, ...] = ()  # secrets, to be taken out of the output by their values
    generation: int = 0  # of a daemon
    surroundings: str = ""  # of a daemon: see core.fitting
    time_limit: str = ""  # as people write it
    memory_limit: str = ""
    memory_bytes: int = 0  # the same, for whoever watches it


class Order(Noun, frozen=True, kw_only=True):
    """What of `armed.json` others than the shim need."""

    run: str
    attempt: int
    context: ContextKey
    kind: str
    incarnation: Incarnation
    at_ns: int
    memory_limit: int = 0
    meta: Meta = Meta()

    @property
    def id(self) -> AttemptId:
        """The attempt that was armed."""
        return AttemptId(run=self.run, attempt=self.attempt)

    @property
    def is_daemon(self) -> bool:
        """Whether its output goes on without end."""
        return self.kind == "daemon"


class Entry(Noun, frozen=True, kw_only=True):
    """A line of the journal; which fields say something depends on the step."""

    step: str
    at_ns: int
    pid: int = 0
    late_us: int = 0
    reason: str = ""
    sentence: str = ""
    by: str = ""
    why: str = ""
    status: int | None = None
    signal: int | None = None
    stop: str = ""
    utime: float = 0.0
    stime: float = 0.0
    maxrss: int = 0
    seconds: float = 0.0
    dropped_bytes: int = 0

    @property
    def is_final(self) -> bool:
        """Whether the attempt ended with it."""
        return self.step in FINAL_STEPS


_ORDER = msgspec.json.Decoder(Order)
_ENTRY = msgspec.json.Decoder(Entry)


def read_order(data: bytes) -> Order:
    """Read `armed.json`.

    Raises:
        Damaged: it is no such record.
    """
    try:
        return _ORDER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise Damaged(f"its armed.json cannot be read ({fault})") from fault


def read_journal(data: bytes) -> tuple[Entry, ...]:
    """Read the whole lines of a journal; behind them stand half a line or zeros.

    Raises:
        Damaged: a whole line is no step.
    """
    entries: list[Entry] = []
    *lines, _rest = data.split(b"\n")
    for number, line in enumerate(lines, start=1):
        try:
            entries.append(_ENTRY.decode(line))
        except (msgspec.DecodeError, UnicodeDecodeError) as fault:
            raise Damaged(f"line {number} of its journal cannot be read ({fault})") from fault
    return tuple(entries)


def has_ended(journal: Sequence[Entry]) -> bool:
    """Whether nothing more will happen to the attempt."""
    return any(entry.is_final for entry in journal)


def folder_name(attempt: AttemptId) -> str:
    """Return what the folder of an attempt is called."""
    return f"{attempt.run.replace('/', '.')}.{attempt.attempt}"


def attempt_of_folder(name: str) -> AttemptId | None:
    """Return the attempt whose folder is called so; None: no folder of a run."""
    rest, _, number = name.rpartition(".")
    job, _, other = rest.partition(".")
    if not job or not other or not number.isascii() or not number.isdigit():
        return None
    return AttemptId(run=f"{job}/{other}", attempt=int(number))

"""What is asked of the shim and what it answers (ARCHITECTURE, "The seam of the shim").

All instants are CLOCK_BOOTTIME nanoseconds, except those that end in a bare `_ns`: these are of
the wall clock, for people.
"""

from collections.abc import Mapping
from enum import Enum

import msgspec

from kirby.core.errors import ShimRefused
from kirby.core.names import AttemptId, ContextKey, Incarnation
from kirby.core.records import Phase
from kirby.core.shipping.run_folder import Entry, Meta


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """The manner of every struct here."""


class Request(Message, frozen=True, kw_only=True, tag_field="do", tag=str.lower):
    """Something to be done."""


class Hello(Request, frozen=True, kw_only=True):
    """A Runner begins; older ones are refused from now on."""

    incarnation: Incarnation
    log: str = ""  # which log it is an offset of: the id of the topic that holds the ticket


class Arm(Request, frozen=True, kw_only=True):
    """Run an attempt. Attempt 0 of a daemon: the shim numbers it."""

    incarnation: Incarnation
    run: str
    attempt: int
    context: ContextKey
    kind: str = "run"  # or "daemon"
    argv: tuple[str, ...]
    env: Mapping[str, str] = {}
    not_before_boot_ns: int = 0  # 0: at once
    not_before_ns: int = 0
    deadline_boot_ns: int = 0  # 0: none
    time_limit_ms: int = 0  # 0: none
    grace_ms: int = 10_000
    memory_limit: int = 0  # bytes of the whole tree; 0: none
    output_limit: int = 50_000_000
    prestart: bool = True
    exclusive: bool = False
    meta: Meta = Meta()


class Bar(Request, frozen=True, kw_only=True):
    """See to it that an attempt does not begin any more."""

    incarnation: Incarnation
    run: str
    attempt: int
    sentence: str = "withdrawn"


class Stop(Request, frozen=True, kw_only=True):
    """End an attempt: SIGTERM, grace, SIGKILL to all. One that has not begun is barred."""

    incarnation: Incarnation
    run: str
    attempt: int  # of a daemon, 0: the one that lives
    grace_ms: int | None = None  # None: as it was armed
    reason: str = "asked"
    sentence: str = ""
    by: str = "runner"


class Renew(Request, frozen=True, kw_only=True):
    """Prolong the lease of this host."""

    incarnation: Incarnation
    lease_ends_boot_ns: int


class List(Request, frozen=True, kw_only=True):
    """Say what is held."""


class Watch(Request, frozen=True, kw_only=True):
    """Push every step from now on."""


class Shipped(Request, frozen=True, kw_only=True):
    """Remove the folder of an attempt that ended: all it held is in Kafka."""

    run: str
    attempt: int


class End(Request, frozen=True, kw_only=True):
    """End the shim."""

    with_scripts: bool = False
    grace_ms: int = 10_000


class ShimPhase(Enum):
    """What the shim holds of an attempt."""

    BARRED = "barred"
    ARMED = "armed"
    PARKED = "parked"
    RELEASING = "releasing"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"

    @property
    def has_begun(self) -> bool:
        """Whether it is beyond recall."""
        return self not in (ShimPhase.BARRED, ShimPhase.ARMED, ShimPhase.PARKED)


class Answer(Message, frozen=True, kw_only=True):
    """Done."""

    id: int


class Greeting(Answer, frozen=True, kw_only=True):
    """The answer to hello."""

    newest: Incarnation  # the number of this life: all that it asks bears it
    boot_id: str
    pid: int
    other_log: bool = False  # its ticket stands in another log than that of the life before


class Held(Message, frozen=True, kw_only=True):
    """What is held of an attempt; `folder` is empty once it was shipped."""

    run: str
    attempt: int
    phase: ShimPhase
    folder: str = ""

    @property
    def key(self) -> AttemptId:
        """Return which attempt it is."""
        return AttemptId(run=self.run, attempt=self.attempt)


class Taken(Answer, frozen=True, kw_only=True):
    """The answer to arm: taken now, or held already."""

    run: str
    attempt: int  # of a daemon: the number that the shim gave it
    phase: ShimPhase
    folder: str = ""

    @property
    def key(self) -> AttemptId:
        """Return which attempt it is."""
        return AttemptId(run=self.run, attempt=self.attempt)


class Standing(Answer, frozen=True, kw_only=True):
    """The answer to bar and stop: barred, or what it is beyond recall."""

    phase: ShimPhase


class Listed(Message, frozen=True, kw_only=True):
    """One attempt of the list."""

    run: str
    attempt: int
    phase: Phase
    folder: str
    context: ContextKey
    kind: str
    since_ns: int  # CLOCK_BOOTTIME
    pid: int = 0
    exclusive: bool = False
    meta: Meta = Meta()

    @property
    def key(self) -> AttemptId:
        """Return which attempt it is."""
        return AttemptId(run=self.run, attempt=self.attempt)

    @property
    def lives(self) -> bool:
        """Whether its end is still to come."""
        return self.phase is not Phase.ENDED


class Holdings(Answer, frozen=True, kw_only=True):
    """The answer to list: every attempt that has a folder."""

    attempts: tuple[Listed, ...] = ()


class ShimEvent(Entry, frozen=True, kw_only=True):
    """A step that was journalled and synced; pushed to those who watch."""

    run: str
    attempt: int
    boot_ns: int = 0

    @property
    def key(self) -> AttemptId:
        """Return which attempt it is of."""
        return AttemptId(run=self.run, attempt=self.attempt)


class Refusal(Enum):
    """Why something was not done."""

    SUPERSEDED = "superseded"  # a newer Runner has said hello: end
    BARRED = "barred"
    DEADLINE = "deadline"
    LEASE = "lease"
    FULL = "full"  # the disk
    NO_ROOM = "no_room"  # no process could be made
    NOT_FOUND = "not_found"  # no such interpreter
    ALIVE = "alive"  # an instance of the daemon lives
    BUSY = "busy"  # scripts live
    UNKNOWN = "unknown"  # no such attempt
    INVALID = "invalid"  # a bug of who asked


class NotDone(ShimRefused):
    """A request that the shim refused; `held` is what lives where the refusal is ALIVE."""

    def __init__(self, refusal: Refusal, sentence: str, *, held: Held | None, newest: int) -> None:
        super().__init__(sentence)
        self.refusal = refusal
        self.held = held
        self.newest = newest  # incarnation, where this one is SUPERSEDED


class Reply(Message, frozen=True, kw_only=True):
    """What every frame from the shim has: an answer's number, or an event's name."""

    id: int | None = None
    ok: bool = True
    event: str = ""
    refused: str = ""
    sentence: str = ""
    held: Held | None = None
    newest: int = 0


def not_done(reply: Reply) -> NotDone:
    """Return the error of a request that was refused."""
    try:
        refusal = Refusal(reply.refused)
    except ValueError:
        refusal = Refusal.INVALID  # a later shim's reason; its sentence says it
    return NotDone(refusal, reply.sentence, held=reply.held, newest=reply.newest)

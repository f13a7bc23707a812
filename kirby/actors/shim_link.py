"""An actor's line to the shim: never waits, is made anew when it breaks, tells what is pushed."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from kirby.actors.base import KirbyActor
from kirby.core.errors import ShimUnreachable
from kirby.host.shim_client import Answered, ShimClient
from kirby.host.shim_messages import Answer, NotDone, Request, ShimEvent, Watch

AGAIN_SECONDS = 0.5  # a shim is started in 30 ms
ANSWER_SECONDS = 5.0  # it answers in milliseconds; a full disk slows its syncs

Outcome: TypeAlias = Answer | NotDone | None  # None: the shim went away before it answered
Heard: TypeAlias = Callable[[Outcome], None]


@dataclass(frozen=True, kw_only=True)
class ReachShim:
    """A wake-up: try to connect again, or see whether answers are overdue."""

    at: float  # BOOTTIME that it was for


class ShimUser(Protocol):
    """What an actor with a line to the shim does with it."""

    def shim_reached(self) -> None:
        """A connection was made; it may be another shim than before."""

    def shim_lost(self) -> None:
        """The shim does not answer; all that was asked was told as unanswered."""

    def shim_event(self, event: ShimEvent) -> None:
        """A step was journalled."""


class ShimLink:
    """The line; the actor hands `ReachShim` wake-ups to `wake`."""

    def __init__(
        self,
        actor: KirbyActor,
        user: ShimUser,
        folder: Path,
        *,
        follows: bool = True,
        pumped: Callable[[], None] | None = None,
    ) -> None:
        """Make a line that is down; `reach` connects it.

        Args:
            actor: has its descriptor watched, and is woken.
            user: is told.
            folder: of the shim.
            follows: whether steps are pushed from the beginning.
            pumped: called after what came at one time was told.
        """
        self._actor = actor
        self._user = user
        self._folder = folder
        self._follows = follows
        self._pumped = pumped
        self._client: ShimClient | None = None
        self._heard: dict[int, tuple[Heard, float]] = {}
        self._next_wake: float | None = None

    @property
    def is_up(self) -> bool:
        """Whether there is a connection."""
        return self._client is not None

    def wake(self, purpose: ReachShim) -> None:
        """Go on after a wake-up."""
        if self._next_wake is not None and purpose.at >= self._next_wake:
            self._next_wake = None
        if self._client is None:
            self.reach()
        elif self._is_overdue():
            self._lose()
        elif self._heard:
            self._wake_later(ANSWER_SECONDS)

    def reach(self) -> None:
        """Connect; again after a while where no shim answers."""
        try:
            self._client = ShimClient(self._folder)
            if self._follows:
                self._client.post(Watch())
        except ShimUnreachable:
            self._client = None
            self._wake_later(AGAIN_SECONDS)
            return
        self._actor.watch(self._client.fileno(), self._pump)
        self._user.shim_reached()

    def follow(self) -> None:
        """Have steps pushed from now on; a shim has better things to do than to tell all of all."""
        if not self._follows:
            self._follows = True
            self.ask(Watch(), lambda _outcome: None)

    def ask(self, request: Request, heard: Heard) -> None:
        """Ask without waiting; `heard` is called once, with None where no answer came."""
        if self._client is None:
            heard(None)
            return
        try:
            number = self._client.post(request)
        except ShimUnreachable:
            heard(None)
            self._lose()
            return
        self._heard[number] = (heard, self._actor.clock.boot())
        self._wake_later(ANSWER_SECONDS)

    def close(self) -> None:
        """Hang up; nothing is told any more."""
        self._heard.clear()
        if self._client is not None:
            self._actor.unwatch(self._client.fileno())
            self._client.close()
            self._client = None

    def _pump(self) -> None:
        if self._client is None:
            return
        try:
            pumped = self._client.pump()
        except ShimUnreachable:
            self._lose()
            return
        for each in pumped:
            if isinstance(each, Answered):
                self._answered(each)
            else:
                self._user.shim_event(each)
        if self._pumped is not None:
            self._pumped()

    def _answered(self, answered: Answered) -> None:
        known = self._heard.pop(answered.id, None)
        if known is not None:
            known[0](answered.outcome)

    def _is_overdue(self) -> bool:
        now = self._actor.clock.boot()
        return any(asked + ANSWER_SECONDS <= now for _, asked in self._heard.values())

    def _lose(self) -> None:
        unanswered = [heard for heard, _ in self._heard.values()]
        self.close()
        for heard in unanswered:
            heard(None)
        self._user.shim_lost()
        if self._pumped is not None:
            self._pumped()
        self._wake_later(AGAIN_SECONDS)

    def _wake_later(self, seconds: float) -> None:
        """Be woken, unless it will be before: one wake-up looks at everything."""
        at = self._actor.clock.boot() + seconds
        if self._next_wake is None or at < self._next_wake:
            self._next_wake = at
            self._actor.wake(seconds, ReachShim(at=at))

"""The manner of every actor: one guard around handlers, watched descriptors, named wake-ups.

Thespian calls a handler that raised again with the same message, forgets the watched descriptors
after any other result than a `ThespianWatch`, and cannot cancel a wake-up. So the guard catches
everything, the watch is returned always, and a wake-up says what it was for (ARCHITECTURE,
"What Thespian, librdkafka and Linux ask of us").
"""

import logging
import os
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from thespian.actors import Actor, ActorExitRequest, ThespianWatch, WakeupMessage, WatchMessage

from kirby.actors.clock import Clock
from kirby.actors.logs import join_early_loggers
from kirby.core.errors import Bug
from kirby.core.messages import AskStatus, Begin, Message, StatusIs
from kirby.host import locks

SEVERAL = frozenset({"watchdog"})  # roles of which a host has more than one
ALONE_WITHIN_S = 5.0  # the kernel ends an orphan within milliseconds


class KirbyActor(Actor):
    """What Scheduler, Runner, Arbiter, Recorder, Watchdog and Supervisor share.

    A subclass gives `role`, handles messages in `on`, and may override `begin`, `woke`, `ending`
    and `facts`.
    """

    role: ClassVar[str] = "actor"

    def __init__(self) -> None:
        super().__init__()
        join_early_loggers()
        self.clock = Clock()
        self.log = logging.getLogger(f"kirby.{self.role}")
        self.begun: Begin | None = None
        self.is_ending = False
        self._watched: dict[int, Callable[[], None]] = {}
        self._early: list[tuple[Message, Any]] = []

    # -- what a subclass says

    def begin(self, begin: Begin, sender: Any) -> None:
        """Take up work; called once, with the first message."""

    def on(self, message: Any, sender: Any) -> None:
        """Handle a message of `core.messages` (or of the actor library)."""

    def woke(self, purpose: Any) -> None:
        """Handle the end of a `wake`."""

    def ending(self) -> None:
        """Let go of threads, descriptors and clients; nothing is created any more."""

    def facts(self) -> dict[str, Any]:
        """Return what `kirby status` shows of this actor: plain JSON values."""
        return {}

    # -- what a subclass uses

    def watch(self, descriptor: int, ready: Callable[[], None]) -> None:
        """Call `ready` whenever the descriptor can be read."""
        self._watched[descriptor] = ready

    def unwatch(self, descriptor: int) -> None:
        """Stop watching; a descriptor at its end would fire without end."""
        self._watched.pop(descriptor, None)

    def wake(self, after_seconds: float, purpose: Any) -> None:
        """Call `woke(purpose)` later; it cannot be cancelled, so the purpose must tell."""
        self.wakeupAfter(after_seconds, payload=purpose)

    def failed(self, message: Any, fault: Exception) -> None:
        """Report a handler that raised: a bug of ours; the actor goes on."""
        self.log.exception("%s could not handle %s", self.role, type(message).__name__)

    # -- the guard

    def receiveMessage(self, message: Any, sender: Any) -> Any:  # noqa: N802 - Thespian's name
        """Dispatch one message; nothing that is raised leaves this method."""
        try:
            self._dispatch(message, sender)
        except Exception as fault:  # the guard: see the module's first lines
            self.failed(message, fault)
        return ThespianWatch(self._living_descriptors())

    def _dispatch(self, message: Any, sender: Any) -> None:
        match message:
            case WatchMessage():
                self._ready(message.ready)
            case WakeupMessage():
                self.woke(message.payload)
            case ActorExitRequest():
                self.is_ending = True
                self.ending()
                self._watched.clear()
            case Begin() if self.begun is None:
                self._take_up(message, sender)
            case Message() if self.begun is None:
                self._early.append((message, sender))
            case AskStatus() if self.role != "supervisor":
                self.send(sender, StatusIs(role=self.role, pid=os.getpid(), facts=self.facts()))
            case _:
                self.on(message, sender)

    def _take_up(self, begin: Begin, sender: Any) -> None:
        """Begin, or end: one that cannot begin is made anew by whoever made it."""
        try:
            if self.role not in SEVERAL:
                self._be_the_only_one(begin)
            self.begun = begin
            self.begin(begin, sender)
        except Exception:
            self.send(self.myAddress, ActorExitRequest())
            raise
        self._catch_up()

    def _catch_up(self) -> None:
        """Handle what overtook the first message: one with a sibling's address waits for that."""
        early, self._early = self._early, []
        for message, sender in early:
            self.receiveMessage(message, sender)

    def _be_the_only_one(self, begin: Begin) -> None:
        """Hold the lock of the role, once whoever had it is gone; without it, end."""
        path = Path(begin.configuration.state) / "locks" / self.role
        try:
            self._role_lock = locks.take(path, wait_s=ALONE_WITHIN_S)
        except locks.Taken as taken:
            raise Bug(f"another {self.role} lives on this host: {taken.said}") from taken
        self._role_lock.say(f"pid {os.getpid()}")

    def _ready(self, descriptors: list[int]) -> None:
        for descriptor in descriptors:
            handler = self._watched.get(descriptor)
            if handler is not None:
                handler()

    def _living_descriptors(self) -> list[int]:
        """Leave out what was closed: one bad descriptor would stop Thespian's `select`."""
        if not self._watched:
            return []
        poll = select.poll()
        for descriptor in self._watched:
            poll.register(descriptor, 0)
        for descriptor, events in poll.poll(0):
            if events & select.POLLNVAL:
                del self._watched[descriptor]
        return list(self._watched)

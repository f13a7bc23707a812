"""A stage for real actors without the actor system: messages, wake-ups, watched descriptors.

All actors play in the test's own process, so that a test can look into them, and kill one.
"""

import heapq
import itertools
import select
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from thespian.actors import ActorAddress, ActorExitRequest, WakeupMessage, WatchMessage

from kirby.actors.base import KirbyActor


class Reference:
    """What an actor has of its system."""

    def __init__(self, stage: "Stage", address: str) -> None:
        self._stage = stage
        self.name = address
        self.address = ActorAddress(address)

    def actor_send(self, target: ActorAddress, message: Any) -> None:
        self._stage.post(target.addressDetails, message, self.name)

    def wakeupAfter(self, period: Any, payload: Any = None) -> None:  # noqa: N802
        seconds = period.total_seconds() if hasattr(period, "total_seconds") else float(period)
        self._stage.wake(self.name, seconds, payload)


class Stage:
    """Plays actors by address until something has come about."""

    def __init__(self) -> None:
        self.actors: dict[str, KirbyActor] = {}
        self.outside: dict[str, Callable[[Any, str], None]] = {}  # who is no actor here
        self._messages: deque[tuple[str, Any, str]] = deque()
        self._wakes: list[tuple[float, int, str, Any]] = []
        self._numbers = itertools.count()

    def enter(self, kind: type[KirbyActor], address: str) -> KirbyActor:
        actor: KirbyActor = kind()
        actor._myRef = Reference(self, address)
        self.actors[address] = actor
        return actor

    def post(self, target: str, message: Any, sender: str) -> None:
        self._messages.append((target, message, sender))

    def wake(self, address: str, seconds: float, payload: Any) -> None:
        entry = (time.monotonic() + seconds, next(self._numbers), address, payload)
        heapq.heappush(self._wakes, entry)

    def kill(self, address: str) -> None:
        """Have an actor gone without a word, as a process would be."""
        actor = self.actors.pop(address)
        actor.ending()  # threads, sockets and locks of a process end with it
        lock = getattr(actor, "_role_lock", None)
        if lock is not None:
            lock.release()
        self._messages = deque(each for each in self._messages if each[0] != address)
        self._wakes = [each for each in self._wakes if each[2] != address]
        heapq.heapify(self._wakes)

    def until(self, reached: Callable[[], bool], limit_s: float = 40.0) -> None:
        """Play until it is so."""
        ends = time.monotonic() + limit_s
        while not reached():
            assert time.monotonic() < ends, "it did not come about in time"
            self._turn()

    def play(self, seconds: float) -> None:
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            self._turn()

    def close(self) -> None:
        for address in list(self.actors):
            self.post(address, ActorExitRequest(), "test")
        while self._messages:
            self._turn()

    def _turn(self) -> None:
        while self._messages:
            target, message, sender = self._messages.popleft()
            self._deliver(target, message, sender)
        now = time.monotonic()
        while self._wakes and self._wakes[0][0] <= now:
            _, _, address, payload = heapq.heappop(self._wakes)
            self._deliver(address, WakeupMessage(0, payload), address)
        if not self._messages:
            self._wait(0.02)

    def _wait(self, most: float) -> None:
        watched = {
            descriptor: address
            for address, actor in self.actors.items()
            for descriptor in actor._living_descriptors()
        }
        poll = select.poll()
        for descriptor in watched:
            poll.register(descriptor, select.POLLIN)
        next_wake = self._wakes[0][0] - time.monotonic() if self._wakes else most
        for descriptor, _ in poll.poll(max(0.0, min(most, next_wake)) * 1000):
            address = watched[descriptor]
            self._deliver(address, WatchMessage([descriptor]), address)

    def _deliver(self, target: str, message: Any, sender: str) -> None:
        actor = self.actors.get(target)
        if actor is not None:
            actor.receiveMessage(message, ActorAddress(sender))
        elif target in self.outside:
            self.outside[target](message, sender)

"""One wake-up at a time for a core that says when it has something to do next."""

from dataclasses import dataclass

from kirby.actors.base import KirbyActor

LEAST_SECONDS = 0.001  # clocks are turned into each other by rounding: never wake twice for one


@dataclass(frozen=True, kw_only=True)
class Tick:
    """A wake-up: time has passed. `at` is the BOOTTIME that it was for."""

    at: float


class Ticking:
    """Wake-ups cannot be cancelled: an earlier one is added where needed, late ones do no harm."""

    def __init__(self, actor: KirbyActor) -> None:
        self._actor = actor
        self._next: float | None = None

    def see_to(self, at: float | None) -> None:
        """Have the actor woken at a BOOTTIME, unless it will be before."""
        if at is None or (self._next is not None and self._next <= at):
            return
        self._next = at
        wait = max(LEAST_SECONDS, at - self._actor.clock.boot())
        self._actor.wake(wait, Tick(at=at))

    def rung(self, tick: Tick) -> None:
        """Note a wake-up."""
        if self._next is not None and tick.at >= self._next:
            self._next = None

"""Has a host's services made anew when they die. Decides nothing: see `core.mending`."""

import contextlib
import selectors
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from kirby.actors.service import Service, Services
from kirby.actors.undertaking import Undertaking
from kirby.core import mending
from kirby.core.mending import Event, FoundDead, Say, Started, Trouble, Undertake, mending_of
from kirby.core.moment import Moment


class Menders:
    """One undertaking at a time for each service; nobody waits for them."""

    def __init__(self, services: Services, say: Callable[[str], None]) -> None:
        self._services = {service.name: service for service in services}
        self._say = say
        self._state = mending_of(self._services)
        self._under_way: dict[str, Undertaking] = {}

    def note_started(self, service: str) -> None:
        """Take note that the host has just started a service."""
        self._step(Started(service=service))

    def mend(self, most_s: float) -> float:
        """Hear what was undertaken, undertake what is due; return when to look again."""
        self._hear()
        for service in self._services.values():
            if service.name in self._state.troubles or service.running() is None:
                self._step(FoundDead(service=service.name))
        return mending.wait_s(self._state, _now(), most_s)

    @contextlib.contextmanager
    def watched_by(self, selector: selectors.BaseSelector) -> Iterator[None]:
        """Have the selector wake when an undertaking comes to its end."""
        watched = tuple(self._under_way.values())
        for each in watched:
            selector.register(each, selectors.EVENT_READ)
        try:
            yield
        finally:
            for each in watched:
                selector.unregister(each)

    def status(self) -> list[dict[str, Any]]:
        """Tell of each service: its pid, and how it is being mended."""
        return [self._status_of(service) for service in self._services.values()]

    def give_up(self) -> None:
        """End what is under way."""
        for undertaking in self._under_way.values():
            undertaking.give_up()
        self._under_way.clear()

    def _hear(self) -> None:
        with selectors.DefaultSelector() as selector:
            for name, undertaking in self._under_way.items():
                selector.register(undertaking, selectors.EVENT_READ, name)
            ended = [key.data for key, _ in selector.select(0)]
        for name in ended:
            self._step(self._under_way.pop(name).outcome())

    def _step(self, event: Event) -> None:
        self._state, effects = mending.step(self._state, event, _now())
        for effect in effects:
            match effect:
                case Undertake(service=name):
                    self._under_way[name] = Undertaking(self._services[name])
                case Say(sentence=sentence):
                    self._say(sentence)

    def _status_of(self, service: Service) -> dict[str, Any]:
        trouble = self._state.troubles.get(service.name)
        return {
            "name": service.name,
            "pid": service.running(),
            "mending": _told(trouble) if trouble else None,
        }


def _told(trouble: Trouble) -> dict[str, Any]:
    return {
        "since": trouble.since.isoformat(),
        "tries": trouble.tries,
        "because": trouble.because,
    }


def _now() -> Moment:
    return Moment(wall=datetime.now(UTC), boot=time.clock_gettime(time.CLOCK_BOOTTIME))

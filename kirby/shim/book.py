"""All that the shim knows and decides; it touches no file, no process, no clock.

`step(event, now)` takes one event and returns what is to be done. The book is changed in place,
as the memory of a day is too large to be copied at each step; a test that needs the state before
copies it itself. What is decided of requests stands in `admission`, what time and processes bring
in `course`.
"""

from kirby.shim import admission, course, events
from kirby.shim.attempt import Attempt
from kirby.shim.effects import Effect
from kirby.shim.held import Held


class Book(Held):
    """The shim's mind. Instants are CLOCK_BOOTTIME nanoseconds."""

    def step(self, event: object, now: int) -> list[Effect]:
        """Take one event; return what is to be done, in order.

        Raises:
            Refused: the request is not carried out, and nothing was changed.
        """
        match event:
            case events.Tick():
                return course.tick(self, now)
            case events.Synced():
                return course.synced(self)
            case events.Taken():
                return course.taken(self, event, now)
            case events.NotTaken():
                return course.not_taken(self, event, now)
            case events.FirstLine():
                return course.first_line(self, event)
            case events.Exited():
                return course.exited(self, event, now)
            case events.Gone():
                return course.gone(self, event, now)
            case _:
                return admission.decide(self, event, now)

    def next_instant(self) -> int | None:
        """Return when the next `Tick` is needed; None: not before something else happens."""
        instants = [instant for one in self.living() for instant in self._instants(one)]
        return min(instants, default=None)

    def _instants(self, attempt: Attempt) -> list[int]:
        return course.instants(self, attempt)

    def adopt(self, attempt: Attempt) -> None:
        """Take over what an earlier shim held, before anything else is answered."""
        self.attempts[attempt.key] = attempt

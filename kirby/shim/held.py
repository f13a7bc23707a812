"""What the shim holds: attempts with a folder, the memory of others, the host's lease."""

from collections.abc import Iterator

from kirby.shim.attempt import Attempt
from kirby.shim.effects import Answer
from kirby.shim.events import Key
from kirby.shim.lives import Lives
from kirby.shim.requests import Request

BARRED = "barred"  # must never begin
SHIPPED = "shipped"


class Held:
    """The state of the book."""

    def __init__(self) -> None:
        self.identity: Request = {}  # of the shim, told with each hello
        self.lives = Lives()
        self.lease_ends = 0
        self.attempts: dict[Key, Attempt] = {}
        self.outcomes: dict[Key, str] = {}  # of attempts barred or shipped
        self.remembered: dict[Key, int] = {}  # since when, in the order of the instants
        self.counters: dict[str, int] = {}  # last number of each daemon's instance
        self.farewell: Answer | None = None  # due when the last script has ended

    @property
    def newest(self) -> int:
        """Return the number of the newest life of a Runner."""
        return self.lives.newest

    def remember(self, key: Key, outcome: str, now: int) -> None:
        """Keep what became of an attempt; a bar stays a bar when its folder is shipped."""
        self.outcomes.setdefault(key, outcome)
        self.remembered.pop(key, None)
        self.remembered[key] = now

    def forget(self, before: int) -> None:
        """Drop what was remembered before an instant."""
        for key, since in list(self.remembered.items()):
            if since >= before:
                return
            del self.remembered[key]
            self.outcomes.pop(key, None)

    def living(self) -> Iterator[Attempt]:
        """Pass over the attempts whose end is still to come."""
        return (attempt for attempt in self.attempts.values() if attempt.phase.lives)

    def alive(self, run: str) -> Attempt | None:
        """Return the attempt of a run or instance that lives."""
        return next((one for one in self.living() if one.order.run == run), None)

    def leased(self, attempt: Attempt, now: int) -> bool:
        """Tell whether the lease allows it to live."""
        return not attempt.order.exclusive or now < self.lease_ends

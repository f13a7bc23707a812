"""Which run folder the Recorder looks at next: each at most once in the line, a few at a time.

Whoever has news stands in line; who is being looked at, and has news meanwhile, stands in line
again; who failed waits. So thousands of folders cost no more than their names.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

AT_A_TIME = 32  # loads on their way: 8 MB of lines at most
AGAIN_SECONDS = 1.0  # after a load that Kafka did not take


@dataclass(frozen=True, kw_only=True)
class Errands:
    """The line of folders, by name."""

    line: Mapping[str, None] = field(default_factory=dict)  # in order
    out: frozenset[str] = frozenset()  # being looked at, or their load is on its way
    waiting: Mapping[str, float] = field(default_factory=dict)  # BOOTTIME from which on to look

    def news(self, name: str) -> "Errands":
        """Put a folder in line, also one that was to wait."""
        return self.news_of([name])

    def news_of(self, names: Iterable[str]) -> "Errands":
        """Put many in line at once."""
        fresh = {name: None for name in names if name not in self.line}
        if not fresh:
            return self
        waiting = {name: at for name, at in self.waiting.items() if name not in fresh}
        return replace(self, line={**self.line, **fresh}, waiting=waiting)

    def next(self) -> tuple["Errands", str | None]:
        """Take the first that nobody is looking at; None: nobody, or enough are out."""
        if len(self.out) >= AT_A_TIME:
            return self, None
        name = next((name for name in self.line if name not in self.out), None)
        if name is None:
            return self, None
        rest = {other: None for other in self.line if other != name}
        return replace(self, line=rest, out=self.out | {name}), name

    def done(self, name: str) -> "Errands":
        """Have a folder back."""
        return replace(self, out=self.out - {name})

    def later(self, name: str, boot: float) -> "Errands":
        """Have a folder back, and look at it again from a BOOTTIME on."""
        if name in self.line:  # there was news meanwhile
            return self.done(name)
        return replace(self, out=self.out - {name}, waiting={**self.waiting, name: boot})

    def ripe(self, boot: float) -> "Errands":
        """Put those in line that have waited long enough."""
        due = [name for name, at in self.waiting.items() if at <= boot]
        if not due:
            return self
        rest = {name: at for name, at in self.waiting.items() if at > boot}
        return replace(self, waiting=rest, line={**self.line, **dict.fromkeys(due)})

    def next_wake(self) -> float | None:
        """Return when the next one has waited long enough."""
        return min(self.waiting.values(), default=None)

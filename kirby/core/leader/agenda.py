"""When each context next needs a look: a heap with lazy deletion."""

from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush

from kirby.core.names import ContextKey


@dataclass(kw_only=True)
class Agenda:
    """The instants at which contexts are looked at; a later `set` replaces an earlier one."""

    instants: dict[ContextKey, datetime] = field(default_factory=dict)
    heap: list[tuple[datetime, ContextKey]] = field(default_factory=list)

    def set(self, context: ContextKey, at: datetime | None) -> None:
        """Look at the context at `at`; None: not before something happens."""
        if at is None:
            self.instants.pop(context, None)
        elif self.instants.get(context) != at:
            self.instants[context] = at
            heappush(self.heap, (at, context))

    def take_due(self, now: datetime) -> list[ContextKey]:
        """Remove and return the contexts whose instant has come, earliest first."""
        due = []
        while self.heap and self.heap[0][0] <= now:
            at, context = heappop(self.heap)
            if self.instants.get(context) == at:
                del self.instants[context]
                due.append(context)
        return due

    def next(self) -> datetime | None:
        """Return the earliest instant."""
        while self.heap and self.instants.get(self.heap[0][1]) != self.heap[0][0]:
            heappop(self.heap)
        return self.heap[0][0] if self.heap else None

    def crowd(self, until: datetime, most: int) -> int:
        """Count the contexts to be looked at up to an instant, at the most `most`."""
        return _count(self.heap, 0, until, most)


def _count(heap: list[tuple[datetime, ContextKey]], at: int, until: datetime, most: int) -> int:
    """Walk the top of the heap only: a subtree whose root is later holds nothing earlier."""
    found, stack = 0, [at]
    while stack and found < most:
        index = stack.pop()
        if index < len(heap) and heap[index][0] <= until:
            found += 1
            stack += [2 * index + 1, 2 * index + 2]
    return found

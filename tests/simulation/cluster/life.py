"""Time, and what lives in it: a queue of deeds, and lives that can be frozen and killed."""

import random
from collections.abc import Callable
from heapq import heappop, heappush

Deed = Callable[[], None]


class Timeline:
    """What is to happen, in order; the only clock of the simulated world, in seconds."""

    def __init__(self, seed: int) -> None:
        self.now = 0.0
        self.chance = random.Random(seed)
        self._queue: list[tuple[float, int, Life | None, Deed]] = []
        self._count = 0

    def after(self, seconds: float, deed: Deed, life: "Life | None" = None) -> None:
        """Have something done so many seconds from now, perhaps by somebody who may end before."""
        self._count += 1
        heappush(self._queue, (self.now + seconds, self._count, life, deed))

    def run(self, until: float) -> None:
        """Let time pass."""
        queue = self._queue
        while queue and queue[0][0] <= until:
            self.now, _, life, deed = heappop(queue)
            if life is None or (life.alive and not life.frozen):
                deed()
            else:
                life.do(deed)
        self.now = until


class Life:
    """One life of an actor or of a shim: killed it does nothing more, frozen it does all late."""

    def __init__(self, timeline: Timeline) -> None:
        self.timeline = timeline
        self.alive = True
        self.frozen = 0  # how many freezes hold it
        self.thawed_at = 0.0
        self._late: list[Deed] = []

    def after(self, seconds: float, deed: Deed) -> None:
        """Do something so many seconds from now, or when it thaws, or never if it is killed."""
        self.timeline.after(seconds, deed, self)

    def do(self, deed: Deed) -> None:
        """Do something now, or when it thaws."""
        if not self.alive:
            return
        if self.frozen:
            self._late.append(deed)
        else:
            deed()

    def freeze(self) -> None:
        """Stand still."""
        self.frozen += 1

    def thaw(self) -> None:
        """Go on; what was due meanwhile is done now, in its order."""
        self.frozen -= 1
        if self.frozen or not self.alive:
            return
        self.thawed_at = self.timeline.now
        late, self._late = self._late, []
        for deed in late:
            self.do(deed)

    def kill(self) -> None:
        """End it."""
        self.alive = False
        self._late.clear()

"""Which attempts have a first claim, whosever: later claims of them are harmless (rule C4).

They are remembered for as long as an offer may wait for its claim, and forgotten in two
generations, so that nothing has to be searched for what is old.
"""

from dataclasses import dataclass, field, replace

from kirby.core.claims.persistent import PersistentMap
from kirby.core.names import AttemptId

# The longest start window is 1 h, claims are read from 10 min earlier; twice that is kept at most.
GENERATION_SECONDS = 4800.0


@dataclass(frozen=True, kw_only=True)
class Decided:
    """The attempts whose first claim was read."""

    young: PersistentMap[AttemptId, bool] = field(default_factory=PersistentMap)
    old: PersistentMap[AttemptId, bool] = field(default_factory=PersistentMap)
    turned: float | None = None  # BOOTTIME of the last change of generations

    def __contains__(self, attempt: AttemptId) -> bool:
        return attempt in self.young or attempt in self.old

    def put(self, attempt: AttemptId, boot: float) -> "Decided":
        """Remember a first claim."""
        if self.turned is None:
            return replace(self, young=self.young.put(attempt, True), turned=boot)
        if boot < self.turned + GENERATION_SECONDS:
            return replace(self, young=self.young.put(attempt, True))
        none: PersistentMap[AttemptId, bool] = PersistentMap()
        return Decided(young=none.put(attempt, True), old=self.young, turned=boot)

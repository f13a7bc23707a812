"""Attempts in an order: insert, remove, look at the first; never changed in place.

Kept as sorted blocks, so that a change copies one block and the list of blocks and not thousands of
entries. Unlike a heap it holds no garbage of what was removed.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

from kirby.core.names import AttemptId

BLOCK = 128  # entries; twice that is split. 10,000 waiting offers make about a hundred blocks

Entry: TypeAlias = tuple[float, str, int]  # seconds of either clock, then run and attempt


def entry_of(seconds: float, attempt: AttemptId) -> Entry:
    """Return what stands in a queue: plain values, as these are compared most quickly."""
    return seconds, attempt.run, attempt.attempt


def attempt_in(entry: Entry) -> AttemptId:
    """Return which attempt an entry is of."""
    return AttemptId(run=entry[1], attempt=entry[2])


@dataclass(frozen=True)
class Queued:
    """Entries in ascending order; every change returns the next queue."""

    blocks: tuple[tuple[Entry, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.blocks)

    def __iter__(self) -> Iterator[Entry]:
        for block in self.blocks:
            yield from block

    @property
    def first(self) -> Entry:
        """The least entry; there must be one."""
        return self.blocks[0][0]

    def put(self, entry: Entry) -> "Queued":
        """Return the queue with one more entry, in its place."""
        if not self.blocks:
            return Queued(((entry,),))
        at = min(self._block_of(entry), len(self.blocks) - 1)
        block = self.blocks[at]
        place = bisect_left(block, entry)
        grown = (*block[:place], entry, *block[place:])
        if len(grown) <= 2 * BLOCK:
            return self._with(at, (grown,))
        return self._with(at, (grown[:BLOCK], grown[BLOCK:]))

    def drop(self, entry: Entry) -> "Queued":
        """Return the queue without an entry; the same queue where it is not in it."""
        at = self._block_of(entry)
        if at == len(self.blocks):
            return self
        block = self.blocks[at]
        place = bisect_left(block, entry)
        if place == len(block) or block[place] != entry:
            return self
        rest = block[:place] + block[place + 1 :]
        return self._with(at, (rest,) if rest else ())

    def _block_of(self, entry: Entry) -> int:
        return bisect_left(self.blocks, entry, key=lambda block: block[-1])

    def _with(self, at: int, blocks: tuple[tuple[Entry, ...], ...]) -> "Queued":
        return Queued(self.blocks[:at] + blocks + self.blocks[at + 1 :])


NOBODY = Queued()

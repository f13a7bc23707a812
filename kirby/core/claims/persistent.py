"""A map that is never changed: setting a key gives a new one that shares nearly all with the old.

The states of the core are immutable, and thousands of offers wait in them; copying a whole
dictionary with each event would cost more than the decisions. Keys are spread over small
dictionaries by a checksum that is the same in every process, so iteration is repeatable.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar
from zlib import crc32

from kirby.core.names import AttemptId

SHARDS = 256  # a change copies a dictionary of 1/256 of the keys, and a tuple of 256

K = TypeVar("K", str, AttemptId)
V = TypeVar("V")

_NO_SHARDS: tuple[dict[object, object], ...] = tuple({} for _ in range(SHARDS))


def _shard_of(key: str | AttemptId) -> int:
    text = key if isinstance(key, str) else f"{key.run}.{key.attempt}"
    return crc32(text.encode()) % SHARDS


@dataclass(frozen=True)
class PersistentMap(Generic[K, V]):
    """Keys are names or attempts; use `put` and `drop`, which return the next map."""

    shards: tuple[dict[K, V], ...] = _NO_SHARDS  # type: ignore[assignment]
    size: int = 0

    def get(self, key: K) -> V | None:
        """Return the value of a key, or None."""
        return self.shards[_shard_of(key)].get(key)

    def __contains__(self, key: K) -> bool:
        return key in self.shards[_shard_of(key)]

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Iterator[K]:
        for shard in self.shards:
            yield from shard

    def items(self) -> Iterator[tuple[K, V]]:
        """Yield keys with their values."""
        for shard in self.shards:
            yield from shard.items()

    def put(self, key: K, value: V) -> "PersistentMap[K, V]":
        """Return the map in which the key has this value."""
        place = _shard_of(key)
        grown = key not in self.shards[place]
        return self._with(place, {**self.shards[place], key: value}, self.size + grown)

    def drop(self, key: K) -> "PersistentMap[K, V]":
        """Return the map without the key; the same map where it was not there."""
        place = _shard_of(key)
        if key not in self.shards[place]:
            return self
        kept = dict(self.shards[place])
        del kept[key]
        return self._with(place, kept, self.size - 1)

    def _with(self, place: int, shard: dict[K, V], size: int) -> "PersistentMap[K, V]":
        shards = self.shards[:place] + (shard,) + self.shards[place + 1 :]  # noqa: RUF005 - faster
        return PersistentMap(shards, size)

"""Loads on their way to Kafka: a load is there when each of its records is."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from kirby.actors.base import KirbyActor
from kirby.core.records import TopicName
from kirby.core.shipping.folders import Load
from kirby.kafka import events as kafka
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.ports import KafkaPort

Loaded = Callable[[str, Load, list[tuple[int, int]]], None]
NotLoaded = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class LoadTag:
    """Marks a record of a load; `batch` is its number among the batches of lines, -1 for steps."""

    load: int
    batch: int


@dataclass(kw_only=True)
class OnItsWay:
    """A load of which not every record is acknowledged yet."""

    name: str
    load: Load
    missing: int
    places: dict[int, tuple[int, int]] = field(default_factory=dict)
    fault: str = ""
    after: Callable[[], None] | None = None  # instead of `loaded`


class Loads:
    """Posts loads; tells `loaded` or `not_loaded` when all of one is decided."""

    def __init__(
        self, actor: KirbyActor, port: KafkaPort, loaded: Loaded, not_loaded: NotLoaded
    ) -> None:
        self._actor = actor
        self._loaded = loaded
        self._not_loaded = not_loaded
        self._box: Mailbox[Any] = Mailbox()
        self._poster = port.poster(self._box)
        self._count = 0
        self._out: dict[int, OnItsWay] = {}
        actor.watch(self._box.fileno(), self._drain)

    def post(self, name: str, load: Load) -> None:
        """Post the records of a load; an empty one is there at once."""
        self._post(OnItsWay(name=name, load=load, missing=_size(load)))

    def post_last(self, name: str, load: Load, after: Callable[[], None]) -> None:
        """Post the last load of a folder; do `after` when it is there."""
        self._post(OnItsWay(name=name, load=load, missing=_size(load), after=after))

    def close(self) -> None:
        """Let go of Kafka."""
        self._actor.unwatch(self._box.fileno())
        self._poster.close(0.5)
        self._box.close()

    def _post(self, way: OnItsWay) -> None:
        self._count += 1
        number = self._count
        self._out[number] = way
        for step in way.load.steps:
            tag = LoadTag(load=number, batch=-1)
            self._poster.post(TopicName.RUNS, step.run, step, tag=tag)  # type: ignore[arg-type]
        for place, batch in enumerate(way.load.batches):
            tag = LoadTag(load=number, batch=place)
            self._poster.post(TopicName.LOGS, batch.run, batch, tag=tag)
        self._settle(number)

    def _drain(self) -> None:
        for told in self._box.drain():
            way = self._out.get(told.tag.load)
            if way is None:
                continue
            way.missing -= 1
            if isinstance(told, kafka.NotPosted):
                way.fault = told.sentence
            elif told.tag.batch >= 0:
                way.places[told.tag.batch] = (told.partition, told.offset)
            self._settle(told.tag.load)

    def _settle(self, number: int) -> None:
        way = self._out[number]
        if way.missing:
            return
        del self._out[number]
        if way.fault:
            self._not_loaded(way.name, way.fault)
        elif way.after is not None:
            way.after()
        else:
            self._loaded(way.name, way.load, [way.places[n] for n in sorted(way.places)])


def _size(load: Load) -> int:
    return len(load.steps) + len(load.batches)

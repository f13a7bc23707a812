"""Run folders as the Recorder's core sees them."""

import struct
from datetime import timedelta

from kirby.core.names import ContextKey, Host, Incarnation
from kirby.core.records import Line, Lines, Step
from kirby.core.shipping.folders import (
    AllShipped,
    Chunk,
    Folder,
    Load,
    NothingYet,
    Progress,
    next_output,
    next_steps,
    shipped,
    tail_of,
)
from kirby.core.shipping.redaction import Redactor
from kirby.core.shipping.run_folder import Entry, Meta, Order
from tests.builders.claims import NOON

NOON_NS = round(NOON.timestamp()) * 1_000_000_000
OUT, ERR, LOG, KIRBY = 1, 2, 3, 4


def a_frame(data: bytes | str, stream: int = OUT, at_ns: int = NOON_NS) -> bytes:
    raw = data if isinstance(data, bytes) else data.encode()
    return struct.pack("<QBI", at_ns, stream, len(raw)) + raw


def an_order(*, kind: str = "run", meta: Meta | None = None) -> Order:
    return Order(
        run="pump/prod@2026-03-02T12:00:00Z",
        attempt=1,
        context=ContextKey("pump/prod"),
        kind=kind,
        incarnation=Incarnation(500),
        at_ns=NOON_NS,
        meta=meta or Meta(package="pump==1.0"),
    )


def an_entry(step: str, **fields: object) -> Entry:
    return Entry(step=step, at_ns=NOON_NS, **fields)  # type: ignore[arg-type]


ARMED, PARKED, RELEASING = an_entry("armed"), an_entry("parked", pid=4711), an_entry("releasing")
RELEASED, FIRST_LINE = an_entry("released"), an_entry("first_line", late_us=1400)
BEGUN = (ARMED, PARKED, RELEASING, RELEASED, FIRST_LINE)


def exited(**fields: object) -> Entry:
    return an_entry("exited", **({"status": 0} | fields))


def a_folder(
    *journal: Entry, secrets: tuple[str, ...] = (), kind: str = "run", meta: Meta | None = None
) -> Folder:
    return Folder(
        host=Host("alpha"),
        order=an_order(kind=kind, meta=meta),
        journal=journal or BEGUN,
        redactor=Redactor.of(secrets),
    )


class Shipment:
    """Ships a folder against a log that acknowledges everything; keeps what was told."""

    def __init__(self, folder: Folder, output: bytes = b"") -> None:
        self.folder = folder
        self.output = output
        self.progress = Progress()
        self.told: list[Step | Lines] = []
        self.seconds = 0.0
        self.offset = 100

    @property
    def lines(self) -> list[Line]:
        return [line for told in self.told if isinstance(told, Lines) for line in told.lines]

    @property
    def texts(self) -> list[str]:
        return [line.text for line in self.lines]

    @property
    def steps(self) -> list[Step]:
        return [told for told in self.told if isinstance(told, Step)]

    def load(self, size: int = 1_000_000) -> Load | NothingYet | AllShipped:
        """Return what is to be told next, of at most so many bytes of output."""
        tail = tail_of(self.output, self.folder.redactor)
        steps = next_steps(self.folder, self.progress, tail)
        if steps is not None:
            return steps
        data = self.output[self.progress.offset :][:size]
        is_last = self.progress.offset + len(data) == len(self.output)
        now = NOON + timedelta(seconds=self.seconds)
        chunk = Chunk(data=data, is_last=is_last)
        return next_output(self.folder, self.progress, chunk, now)

    def acknowledged(self, load: Load) -> None:
        """Have Kafka take a load."""
        self.told += [*load.steps, *load.batches]
        places = []
        for _ in load.batches:
            places.append((3, self.offset))
            self.offset += 1
        self.progress = shipped(load, places)

    def runs(self, size: int = 1_000_000) -> NothingYet | AllShipped:
        """Ship until there is nothing more to tell for now."""
        while isinstance(load := self.load(size), Load):
            self.acknowledged(load)
        return load


def a_shipment(*journal: Entry, output: bytes = b"", secrets: tuple[str, ...] = ()) -> Shipment:
    return Shipment(a_folder(*journal, secrets=secrets), output)

"""One run folder on its way to Kafka: what it has to tell next, and what comes after."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from kirby.core.errors import Damaged, Insecure
from kirby.core.names import Host, Incarnation, context_of
from kirby.core.shipping.folders import (
    AllShipped,
    Folder,
    Load,
    Next,
    NothingYet,
    Progress,
    next_output,
    next_steps,
    shipped,
    tail_of,
)
from kirby.core.shipping.redaction import Redactor
from kirby.core.shipping.run_folder import Entry, Order, has_ended
from kirby.core.shipping.steps import Teller
from kirby.host.keys import ClusterKeys
from kirby.host.run_folder import RunFolder

CHUNK_BYTES = 262_144  # of raw output for one load: a turn of the actor stays short
KEPT_AFTER_SECONDS = 2.0  # most runs are shipped sooner, and need no note of how far it got


@dataclass(frozen=True, kw_only=True)
class Secrets:
    """What has to be taken out of output."""

    key: ClusterKeys
    of_kafka: tuple[str, ...]  # passwords that scripts get for their clients

    def redactor(self, order: Order) -> Redactor:
        """Return what takes the secrets of an attempt out.

        Raises:
            Damaged: one of them cannot be opened with this host's key.
        """
        try:
            sealed = [self.key.value_of(each) for each in order.meta.sealed]
        except Insecure as fault:
            raise Damaged(str(fault)) from fault
        return Redactor.of([*sealed, *self.of_kafka, *self.key.run_tokens(order.run)])


@dataclass(frozen=True, kw_only=True)
class SetAside:
    """The folder cannot be shipped: tell the load first, then move it away."""

    load: Load
    sentence: str


Errand: TypeAlias = Next | SetAside


@dataclass(kw_only=True)
class Shipment:
    """What is known of a folder while it is being shipped."""

    host: Host
    folder: RunFolder
    secrets: Secrets
    order: Order | None = None
    redactor: Redactor = field(default_factory=Redactor)
    progress: Progress | None = None
    kept: Progress | None = None  # as it is written in the folder
    began: float  # BOOTTIME of the first look, or of when the progress was last written
    has_ended: bool = False

    def next(self, now: datetime) -> Errand:
        """Return what is to be told now.

        Raises:
            FileNotFoundError: the folder is gone.
        """
        try:
            return self._next(now)
        except Damaged as fault:
            if not self.folder.path.exists():
                raise FileNotFoundError(self.folder.path) from fault
            return self._damaged(str(fault), now)

    def _next(self, now: datetime) -> Errand:
        order = self._opened()
        progress = self.progress or Progress()
        journal = self.folder.journal()  # before the output: then an end says that it is whole
        self.has_ended = has_ended(journal)
        found = Folder(host=self.host, order=order, journal=journal, redactor=self.redactor)
        ends = self.has_ended and progress.steps < len(journal)
        steps = next_steps(found, progress, self._tail() if ends else ())
        if steps is not None:
            return steps
        return next_output(found, progress, self.folder.chunk(progress, CHUNK_BYTES), now)

    def done(self, load: Load, places: list[tuple[int, int]], boot: float) -> None:
        """Note that Kafka has a load."""
        self.progress = shipped(load, places)
        is_long = boot - self.began >= KEPT_AFTER_SECONDS
        if is_long and self.progress != self.kept:
            self.folder.keep(self.progress)
            self._let_go_of_old_output(self.progress)
            self.kept, self.began = self.progress, boot

    def has_news(self) -> bool:
        """Whether the output has grown since, at the cost of a look or two."""
        progress = self.progress or Progress()
        output = self.folder.path / f"output.{progress.file:06}"
        try:
            return output.stat().st_size > progress.offset
        except FileNotFoundError:
            return any(number > progress.file for number in self.folder.output_files())

    def _opened(self) -> Order:
        if self.order is None:
            self.order = self.folder.order()
            self.redactor = self.secrets.redactor(self.order)
            self.progress = self.kept = self._progress()
        return self.order

    def _progress(self) -> Progress:
        try:
            return self.folder.progress()
        except Damaged:
            return Progress()  # told twice is better than not told

    def _tail(self) -> tuple[str, ...]:
        try:
            return tail_of(self.folder.last_output(), self.redactor)
        except Damaged:
            return ()

    def _let_go_of_old_output(self, progress: Progress) -> None:
        if self.order is not None and self.order.is_daemon:
            self.folder.drop_output_before(progress.file)

    def _damaged(self, sentence: str, now: datetime) -> Errand:
        """Tell what can be told: the steps, if they can be read, or an end with the reason."""
        order = self.order or self._order_by_name()
        if order is None:
            raise FileNotFoundError(self.folder.path)
        journal = self._readable_journal()
        progress = self.progress or Progress()
        found = Folder(host=self.host, order=order, journal=journal, redactor=Redactor())
        steps = next_steps(found, progress, ()) if self.order is not None else None
        if steps is not None:
            return steps
        reason = f"its run folder cannot be shipped: {sentence}; it is kept in set-aside"
        told = self.order is not None and has_ended(journal)
        end = () if told else (Teller(self.host, order).damaged(now, reason),)
        return SetAside(load=Load(steps=end, after=progress), sentence=reason)

    def _readable_journal(self) -> tuple[Entry, ...]:
        try:
            return self.folder.journal()
        except Damaged:
            return ()

    def _order_by_name(self) -> Order | None:
        attempt = self.folder.attempt
        if attempt is None:
            return None
        return Order(
            run=attempt.run,
            attempt=attempt.attempt,
            context=context_of(attempt.run),
            kind="run",
            incarnation=Incarnation(0),
            at_ns=0,
        )


__all__ = ["AllShipped", "Errand", "Load", "NothingYet", "Secrets", "SetAside", "Shipment"]

"""The mirror of the schedule in Kafka: firing survives the loss of web service and database."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from kirby.core.leader.draft import Post
from kirby.core.leader.ledger import Ledger
from kirby.core.names import ContextKey, Host
from kirby.core.nouns import Definition, LeaderReason, Schedule
from kirby.core.records import Drained, Mirrored, TopicName


@dataclass(kw_only=True)
class Mirror:
    """What the mirror holds, and what is still to be written to it."""

    definitions: dict[ContextKey, Definition] = field(default_factory=dict)
    drained: set[Host] = field(default_factory=set)
    revision: int | None = None  # of the last answer of the web service; None: none yet
    pending: list[Post] = field(default_factory=list)

    def read(self, key: str, record: Mirrored | Drained | None) -> None:
        """Take a record of the mirror, as a new leader reads it up."""
        if key.startswith("#"):
            host = Host(key[1:])
            (self.drained.discard if record is None else self.drained.add)(host)
        elif isinstance(record, Mirrored):
            self.definitions[ContextKey(key)] = record.definition
        else:
            self.definitions.pop(ContextKey(key), None)

    def take_up(self, ledger: Ledger, now: datetime) -> None:
        """Hand the mirror to the ledger of a new leader."""
        ledger.roster.drained = frozenset(self.drained)
        for definition in self.definitions.values():
            self._define(ledger, definition, now)
        for context in [each for each in ledger.definitions() if each not in self.definitions]:
            ledger.undefine(context, LeaderReason.DELETED)

    def fetched(self, schedule: Schedule, ledger: Ledger, now: datetime) -> None:
        """Take an answer of the web service: everything, or what changed."""
        self.revision = ledger.revision = schedule.revision
        for definition in schedule.contexts:
            if self.definitions.get(definition.context) != definition:
                self.definitions[definition.context] = definition
                self._post(definition.context, Mirrored(definition=definition))
                self._define(ledger, definition, now)
        for context in list(self._gone(schedule)):
            del self.definitions[context]
            self._post(context, None)
            ledger.undefine(context, LeaderReason.DISABLED)
        self._drain(set(schedule.drained), ledger)

    def _gone(self, schedule: Schedule) -> Iterator[ContextKey]:
        present = {definition.context for definition in schedule.contexts}
        for context in self.definitions:
            if context in schedule.gone or (schedule.whole and context not in present):
                yield context

    def _define(self, ledger: Ledger, definition: Definition, now: datetime) -> None:
        book = ledger.books.get(definition.context)
        if book is None or book.definition != definition or book.successor is not None:
            ledger.define(definition, now)

    def _drain(self, drained: set[Host], ledger: Ledger) -> None:
        for host in drained - self.drained:
            self._post(f"#{host}", Drained(host=host))
        for host in self.drained - drained:
            self._post(f"#{host}", None)
        if drained != self.drained:
            self.drained = drained
            ledger.roster.drained = frozenset(drained)
            ledger.mark_daemons()

    def _post(self, key: str, record: Mirrored | Drained | None) -> None:
        self.pending.append(Post(topic=TopicName.SCHEDULE, key=key, record=record))

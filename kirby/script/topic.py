"""A topic as a script uses it: send, read, read again.

What takes long to import (the Kafka client, msgspec) is imported where it is first needed, so
that a script that only names its topics starts as if it did not.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

if TYPE_CHECKING:
    from typing import Self

    from kirby.script.ports import Received, Start
    from kirby.script.reader import Reader
    from kirby.script.record import Record
    from kirby.script.session import Session

T = TypeVar("T")

_LONGEST_NAME = 249  # the limit of Kafka
_REPLAY_WAIT_SECONDS = 0.2
# The last offsets of a partition may hold nothing but marks of transactions.
_LAST_OFFSETS = (1, 100, 10_000)


class Topic(Generic[T]):
    """A Kafka topic by its name in this environment, with JSON values.

    `Topic("sales")` holds whatever JSON can; `Topic("sales", of=Sale)` reads each value as a
    `Sale` (a dataclass, a msgspec struct, or any type that has JSON form). A topic that does not
    exist is made, with 6 partitions.

    Reading is at least once: a record is finished, and its offset committed, when the following
    one is asked for, and only after all that was sent until then has been acknowledged. All runs
    of a context share one consumer group.

    Used in a `with` statement, it delivers everything at the end, or raises `DeliveryFailed`. If
    the block ends without an exception, the record in hand is finished, too.

    Not for several threads at once.
    """

    @overload
    def __init__(self: "Topic[Any]", name: str) -> None: ...
    @overload
    def __init__(self, name: str, of: type[T]) -> None: ...
    def __init__(self, name: str, of: Any = Any) -> None:
        self.name = _checked(name)
        self._kind = of
        self._reader: Reader | None = None
        self._is_destination = False

    def __repr__(self) -> str:
        return f'Topic("{self.name}")'

    # -- writing

    def send(
        self,
        value: T,
        *,
        key: object = None,
        headers: Mapping[str, str] | None = None,
        made_from: "Iterable[Record[Any]] | None" = None,
    ) -> None:
        """Send a record; it is on its way when this returns, and delivered after `flush`.

        Args:
            value: becomes JSON; `None` a record without value (a tombstone).
            key: records with one key stay in order; anything but bytes becomes its text.
            headers: of the script's own, besides those that tell the run.
            made_from: the records it was made from, if not those that are in hand.

        Raises:
            DeliveryFailed: this or an earlier record could not be delivered.
            InvalidInput: the value is not JSON, or a header's name is Kirby's.
        """
        from kirby.script.headers import of_record
        from kirby.script.json_values import encode, encode_key

        session = self._session()
        full = session.name_of(self.name)
        origin = session.in_hand() if made_from is None else made_from
        sealed = of_record(session.run_headers, origin, headers or {})
        raw = encode(value, self.name)
        if not self._is_destination:
            session.destination(full)
            self._is_destination = True
        session.sender.send(full, encode_key(key), raw, sealed)

    def flush(self) -> None:
        """Wait until all that was sent, to whichever topic, is acknowledged.

        Raises:
            DeliveryFailed: something was not.
        """
        self._session().flush()

    # -- reading in the group

    def next(self, timeout: float) -> "Record[T] | None":
        """Finish the record in hand and return the next one, or `None` after `timeout` seconds.

        The time begins when the group has admitted this script, which may take some seconds.

        Raises:
            StopAsked: the script was asked to stop (it ends the script if it is not caught).
            ReadingFailed, DeliveryFailed, UnreadableValue: see there. The record that cannot be
                read counts as handed out: asking again goes on after it.
        """
        received = self._opened().next(timeout)
        return None if received is None else self._record(received)

    def __iter__(self) -> "Iterator[Record[T]]":
        """Hand out records as they come, until the script is asked to stop."""
        from kirby.script.stopping import StopAsked

        while True:
            try:
                received = self._opened().next(None)
            except StopAsked:
                return
            if received is not None:
                yield self._record(received)

    # -- reading outside of the group

    def from_beginning(self) -> "Topic[T]":
        """Return a topic that is read from its first record on, each time it is opened.

        It belongs to no group, so every script that reads like this gets every record, and
        nothing is committed. Its `caught_up` tells when the past has been read.
        """
        from kirby.script.ports import Beginning

        return _Outside(self.name, self._kind, Beginning())

    def replay(self, since: datetime | None = None) -> "Iterator[Record[T]]":
        """Hand out the records that are there now, from the first or from an instant on.

        It disturbs neither the group nor what else this topic reads.
        """
        from kirby.script.ports import Beginning, Since

        start = Beginning() if since is None else Since(since.astimezone(UTC))
        with _Outside[T](self.name, self._kind, start) as past:
            yield from past.up_to_now()

    def newest(self) -> "Record[T] | None":
        """Return the record that was written last, or `None` of an empty topic."""
        from kirby.script.ports import Last

        for count in _LAST_OFFSETS:
            with _Outside[T](self.name, self._kind, Last(count)) as end:
                found = list(end.up_to_now())
                if found:
                    return max(found, key=lambda record: record.at)
                if end.is_empty:
                    break
        return None

    @property
    def caught_up(self) -> bool:
        """Whether a topic read from its beginning was read up to its end once."""
        return self._reader is not None and self._reader.is_caught_up

    # -- the end

    def close(self) -> None:
        """Deliver everything, commit what is finished, and leave the group.

        Raises:
            DeliveryFailed: something did not arrive.
        """
        reader, self._reader = self._reader, None
        if reader is not None or self._is_destination:
            self._session().close(reader)

    def __enter__(self) -> "Self":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is None and self._reader is not None:
            self._reader.finish()
        try:
            self.close()
        except Exception as failed:
            if kind is None:
                raise
            from kirby.script.logger import log

            log.error("%s", failed)  # the exception under way says more of why

    # -- inside

    def _session(self) -> "Session":
        from kirby.script import session

        return session.current()

    def _opened(self) -> "Reader":
        if self._reader is None:
            session = self._session()
            self._reader = session.read_in_group(session.name_of(self.name))
        return self._reader

    def _record(self, received: "Received") -> "Record[T]":
        from kirby.script.headers import as_texts
        from kirby.script.json_values import decode, decode_key
        from kirby.script.record import Record

        where = (
            f'the record of topic "{received.topic}", partition {received.partition}, '
            f"offset {received.offset},"
        )
        return Record(
            value=decode(received.value, self._kind, where),
            key=decode_key(received.key),
            at=datetime.fromtimestamp(received.at_ms / 1000, UTC),
            headers=as_texts(received.headers),
            topic=received.topic,
            partition=received.partition,
            offset=received.offset,
        )


class _Outside(Topic[T]):
    """A topic that is read outside of any group."""

    def __init__(self, name: str, of: Any, start: "Start") -> None:
        super().__init__(name, of)
        self._start = start

    def _opened(self) -> "Reader":
        if self._reader is None:
            session = self._session()
            self._reader = session.read_outside(session.name_of(self.name), self._start)
        return self._reader

    @property
    def caught_up(self) -> bool:
        return self._opened().is_caught_up

    @property
    def is_empty(self) -> bool:
        """Whether a topic that is read from its last offsets on had none."""
        return self._opened().is_empty

    def up_to_now(self) -> "Iterator[Record[T]]":
        """Hand out what is there."""
        while not self.caught_up:
            if (record := self.next(_REPLAY_WAIT_SECONDS)) is not None:
                yield record


def _checked(name: str) -> str:
    legal = name.replace(".", "").replace("_", "").replace("-", "")
    is_legal = legal.isascii() and legal.isalnum() and len(name) <= _LONGEST_NAME
    if is_legal and not name.startswith("."):  # as Kirby's own topics do
        return name
    from kirby.core.errors import InvalidName

    raise InvalidName(
        f'topic name "{name}": use 1 to {_LONGEST_NAME} of letters, digits, ".", "_" and "-", '
        "not beginning with a dot",
        field="topic",
    )

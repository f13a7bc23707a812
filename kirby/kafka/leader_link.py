"""The leader's transactions: whoever began last with the installation's id leads (rule I5).

One link is one producer. It never tries anything twice: after its first failure it is of no more
use, as librdkafka cannot tell whether a transaction with an unknown outcome stands.
"""

import contextlib
import queue
import threading
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from confluent_kafka import KafkaException, Producer

from kirby.core.names import Epoch
from kirby.core.records import AnyRecord, Leadership, TopicName, encode
from kirby.kafka.boot import boot
from kirby.kafka.events import Became, Committed, LinkEvent, LinkFailed, LinkFenced, Place
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.queries import instant_of
from kirby.kafka.sentences import fault_of, is_fencing, sentence
from kirby.kafka.settings import KafkaSettings

LIMIT_S = 3.0  # of init_transactions and of each commit
CLOSE_LIMIT_S = 8.0
LEADER = "leader"  # the key of all records of leadership


@dataclass(frozen=True, kw_only=True)
class Message:
    """One record of a transaction; None is a tombstone."""

    topic: TopicName
    key: str
    record: AnyRecord | None


@dataclass(frozen=True, kw_only=True)
class _Become:
    record: Leadership


@dataclass(frozen=True, kw_only=True)
class _Commit:
    tag: Hashable
    messages: tuple[Message, ...]


_Command: TypeAlias = _Become | _Commit


class LeaderLink:
    """A thread that owns one transactional producer.

    `become` first, `commit` then, in the order of the calls; each ends as one event: `Became`,
    `Committed`, or, once and for all, `LinkFenced` or `LinkFailed`.
    """

    def __init__(
        self, settings: KafkaSettings, mailbox: Mailbox[Any], *, limit_s: float = LIMIT_S
    ) -> None:
        self._settings = settings
        self._mailbox: Mailbox[LinkEvent] = mailbox
        self._limit_s = limit_s
        self._commands: queue.SimpleQueue[_Command | None] = queue.SimpleQueue()
        self._first_fatal: Any = None
        self._thread = threading.Thread(target=self._work, name="kirby-leader", daemon=True)
        self._thread.start()

    def become(self, record: Leadership) -> None:
        """Fence every earlier leader and write the record that makes the epoch."""
        self._commands.put(_Become(record=record))

    def commit(self, tag: Hashable, messages: Sequence[Message]) -> None:
        """Write all of the messages or none."""
        self._commands.put(_Commit(tag=tag, messages=tuple(messages)))

    def close(self) -> None:
        """End the thread after the command that it is at; an open transaction is given up."""
        self._commands.put(None)
        self._thread.join(CLOSE_LIMIT_S)

    # -- the thread

    def _work(self) -> None:
        producer = Producer(self._settings.for_leader() | {"error_cb": self._note})
        while (command := self._commands.get()) is not None:
            is_committing = False
            try:
                if isinstance(command, _Become):
                    producer.init_transactions(self._limit_s)
                places = self._write(producer, _messages(command))
                is_committing = True
                producer.commit_transaction(self._limit_s)
            except Exception as raised:  # whatever it is, the link is of no more use
                self._end(fault_of(raised), is_committing)
                break
            self._tell(command, places)
        _throw_away(producer)

    def _write(self, producer: Any, messages: Sequence[Message]) -> list[Any]:
        """Begin a transaction and hand over its messages; the list fills as they are delivered."""
        delivered: list[Any] = [None] * len(messages)
        producer.begin_transaction()
        for number, message in enumerate(messages):
            producer.produce(
                self._settings.topic(message.topic),
                key=message.key.encode(),
                value=None if message.record is None else encode(message.record),
                on_delivery=lambda fault, at, n=number: self._delivered(delivered, n, fault, at),
            )
        return delivered

    def _delivered(self, delivered: list[Any], number: int, fault: Any, message: Any) -> None:
        if fault is None:
            delivered[number] = message
        else:
            self._note(fault)

    def _note(self, fault: Any) -> None:
        """Remember the first fatal error: what later calls answer does not look like it."""
        if self._first_fatal is None and (fault.fatal() or is_fencing(fault)):
            self._first_fatal = fault

    def _tell(self, command: _Command, delivered: list[Any]) -> None:
        match command:
            case _Become():
                epoch = Epoch(delivered[0].offset())
                self._mailbox.put(Became(epoch=epoch, appended=instant_of(delivered[0])))
            case _Commit():
                places = tuple(
                    Place(partition=at.partition(), offset=at.offset()) for at in delivered
                )
                self._mailbox.put(Committed(tag=command.tag, places=places, boot=boot()))

    def _end(self, fault: Any, is_committing: bool) -> None:
        self._note(fault)
        first = self._first_fatal or fault
        said = sentence(self._settings.bootstrap, first)
        if is_fencing(first):
            self._mailbox.put(LinkFenced(sentence=said))
        else:
            # One that must be aborted was not committed; of any other nobody can say.
            unknown = is_committing and not fault.txn_requires_abort()
            self._mailbox.put(LinkFailed(sentence=said, outcome_unknown=unknown))


def _messages(command: _Command) -> tuple[Message, ...]:
    match command:
        case _Become():
            return (Message(topic=TopicName.LEADERSHIP, key=LEADER, record=command.record),)
        case _Commit():
            return command.messages


def _throw_away(producer: Any) -> None:
    """Drop what it still holds, so that its end does not wait for a broker."""
    with contextlib.suppress(KafkaException):
        producer.purge()

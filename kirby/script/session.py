"""All that the topics of one script share: client, sender, readers, and the end of them all."""

import atexit
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NoReturn

from kirby.core.errors import DeliveryFailed, KafkaUnknown
from kirby.core.names import is_instance
from kirby.script import headers
from kirby.script.logger import log
from kirby.script.ports import Client, Received, Start
from kirby.script.reader import REVOKED_FLUSH_SECONDS, SLICE_SECONDS, Reader
from kirby.script.registration import Registration
from kirby.script.sender import Sender
from kirby.script.settings import DELIVERY_LIMIT_MS
from kirby.script.settlement import Place
from kirby.script.stopping import Stopping
from kirby.script.surroundings import Surroundings, surroundings_of

KEEP_SECONDS = 0.5
# The client itself gives each record up after its delivery limit; the rest is for its report.
FLUSH_LIMIT_SECONDS = DELIVERY_LIMIT_MS / 1000 + 5
# A stopped script has a grace of 10 s by default before it is killed.
STOPPED_FLUSH_LIMIT_SECONDS = 6.0
GROUP_BY_HAND = "kirby-by-hand"  # outside Kirby nothing says which context this is


class Session:
    """What the topics of a process share."""

    def __init__(self, surroundings: Surroundings, client: Client) -> None:
        self.surroundings = surroundings
        self.run_headers = headers.of_run(surroundings)
        self.sender = Sender(client.writing)
        self.stopping = Stopping(self._will_look)
        self._client = client
        self._pid = os.getpid()
        self._registration = Registration(surroundings)
        self._readers: list[Reader] = []
        self._known: set[str] = set()
        self._settling = threading.Lock()
        self._is_closing = False
        self._keeper: threading.Thread | None = None
        self._ended = threading.Event()

    @property
    def is_own(self) -> bool:
        """Whether this process began it, and not the one that this is a fork of."""
        return self._pid == os.getpid()

    def name_of(self, topic: str) -> str:
        """Return what a topic is called in Kafka in this environment."""
        return self.surroundings.topic_prefix + topic

    def in_hand(self) -> list[Received]:
        """Return the records that are handed out and not finished."""
        return [reader.current for reader in self._readers if reader.current is not None]

    def destination(self, topic: str) -> None:
        """Take note that the script writes to a topic, and make it if it is new."""
        self._meet(topic)
        self._registration.destination(topic)

    def read_in_group(self, topic: str) -> Reader:
        """Open a topic as a member of the context's group."""
        reader = self._reader(topic, self.sender.finish)
        group = self.surroundings.group or GROUP_BY_HAND

        def lost(partitions: Sequence[int]) -> None:
            self._lost(reader, partitions)

        reader.read_with(self._client.group(topic, group, lost))
        self._readers.append(reader)
        self._keep()
        return reader

    def read_outside(self, topic: str, start: Start) -> Reader:
        """Open a topic outside of the group; nothing is committed."""
        reader = self._reader(topic, _nothing)
        reader.read_with(self._client.outside(topic, start))
        self._readers.append(reader)
        return reader

    def close(self, reader: Reader | None) -> None:
        """Deliver everything, commit what it allows, and let go of a reader.

        Raises:
            DeliveryFailed: something sent did not arrive.
        """
        self._is_closing = True
        try:
            self.flush()
        finally:
            self.settle()
            if reader is not None and reader in self._readers:
                self._readers.remove(reader)
                reader.close()
            self._is_closing = False

    def flush(self) -> None:
        """Wait until everything that was sent is acknowledged.

        Raises:
            DeliveryFailed: something was not.
        """
        self._flush(FLUSH_LIMIT_SECONDS)
        if self.sender.unacknowledged:
            self.sender.give_up()
        self.sender.check()

    def settle(self) -> None:
        """Let be committed what may be."""
        with self._settling:  # what another thread has taken out is settled before a reader closes
            for place in self.sender.settled():
                for reader in self._readers:
                    if reader.topic == place.topic:
                        reader.settle(place)

    def end(self) -> None:
        """Close what the script left open; it ends with status 1 if something did not arrive."""
        if not self.is_own:
            return  # a fork of the script: client and records are its parent's
        self.halt()
        failure = ""
        for reader in [*self._readers, None]:
            try:
                self.close(reader)
            except DeliveryFailed as failed:
                failure = str(failed)
        self._registration.end()
        if failure:
            _end_with(failure)

    def keep(self, now: float) -> None:
        """Do what cannot wait while the script is busy (`now`: seconds, monotonic)."""
        self.sender.serve()
        self.settle()
        for reader in list(self._readers):
            reader.keep(now)

    def halt(self) -> None:
        """Stop polling in the script's stead."""
        self._ended.set()

    def _flush(self, seconds: float) -> None:
        begun = time.monotonic()
        while self.sender.unacknowledged:
            limit = STOPPED_FLUSH_LIMIT_SECONDS if self.stopping.is_asked else seconds
            if time.monotonic() - begun >= limit:
                return
            self.sender.flush(SLICE_SECONDS)

    def _reader(self, topic: str, finished: Callable[[Place], None]) -> Reader:
        self._meet(topic)
        self._registration.source(topic)
        return Reader(topic, self.sender, self.stopping, finished, self.settle)

    def _lost(self, reader: Reader, partitions: Sequence[int]) -> None:
        self._flush(REVOKED_FLUSH_SECONDS)
        self.settle()
        self.sender.lose(reader.topic, list(partitions))
        reader.lose(partitions)

    def _meet(self, topic: str) -> None:
        if not self._known:
            self.stopping.install()
        if topic not in self._known:
            self._client.create(topic)
            self._known.add(topic)

    def _will_look(self) -> bool:
        return bool(self._readers) or self._is_closing

    def _keep(self) -> None:
        if self._keeper is None:
            self._keeper = threading.Thread(target=self._keeping, name="kirby-keeper", daemon=True)
            self._keeper.start()

    def _keeping(self) -> None:
        while not self._ended.wait(KEEP_SECONDS):
            try:
                self.keep(time.monotonic())
            except Exception as fault:  # the script meets it itself when it asks next
                log.debug("while the script was busy: %s", fault)


def _nothing(_place: Place) -> None:
    """Take no note: outside of a group nothing is committed."""


def _end_with(failure: str) -> NoReturn:
    log.error("%s", failure)
    sys.stderr.write(f"{failure}\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)  # the only way to a status at this point of the interpreter's end


_current: Session | None = None


def current(make: Callable[[Surroundings], Client] | None = None) -> Session:
    """Return the session of this process, begun when its first topic is opened.

    Raises:
        KafkaUnknown: nothing says where Kafka is.
    """
    global _current
    if _current is None or not _current.is_own:
        _current = _begun(make or _confluent)
        atexit.register(_current.end)
    return _current


def use(session: Session | None) -> None:
    """Let topics use this session from now on; `None`: a new one when one is needed."""
    global _current
    _current = session


def _begun(make: Callable[[Surroundings], Client]) -> Session:
    surroundings = surroundings_of(os.environ)
    if "bootstrap.servers" not in surroundings.kafka:
        raise KafkaUnknown(
            "no Kafka is known here (KIRBY_KAFKA is not set): run the script under Kirby, or with "
            '"kirby exec"'
        )
    return Session(surroundings, make(surroundings))


def _confluent(surroundings: Surroundings) -> Client:
    from kirby.script.confluent import Confluent

    given = {"client.id": surroundings.run or "kirby-script", **surroundings.kafka}
    return Confluent(given, surroundings.run if is_instance(surroundings.run) else "")

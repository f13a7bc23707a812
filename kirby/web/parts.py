"""What the application is made of besides the database: handed to it, so that tests hand fakes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

from kirby.core.records import Lines, RequestRecord
from kirby.host.keys import ClusterKeys
from kirby.web.key_changing import KeyChanging


class Requests(Protocol):
    """Posts what people ask for, to the topic that the leader reads."""

    def post(self, request: RequestRecord) -> None:
        """Post it, and wait until it stands in the log.

        Raises:
            KafkaError: it may or may not stand there.
        """


class Logs(Protocol):
    """Reads the output of attempts."""

    def read(self, run: str, attempt: int, place: "LogPlace") -> "LogPiece":
        """Read some of an attempt's output, in order.

        Raises:
            KafkaError: the log cannot be read now.
        """


@dataclass(frozen=True, kw_only=True)
class LogPlace:
    """Where an attempt's output stands, as far as that is known."""

    partition: int | None = None  # None: look in the partition of the run's key
    first: int | None = None  # offset to begin at; None: at the instant `since`
    last: int | None = None  # offset of the last batch; None: up to the present end
    since: datetime | None = None
    after: int = 0  # lines that are not wanted, as they were seen before


@dataclass(frozen=True, kw_only=True)
class LogPiece:
    """Some of an attempt's output, and where each batch stood."""

    batches: Sequence[tuple[int, Lines]] = ()  # offset, batch


class Topics(Protocol):
    """Creates the topics that scripts use."""

    def ensure(self, topics: Mapping[str, int]) -> Sequence[str]:
        """Create what is not there (full name and number of partitions); return all names.

        Raises:
            KafkaError: Kafka does not answer, or refuses.
        """


class Catalogue(Protocol):
    """Knows which packages there are."""

    def lacks(self, package: str) -> str | None:
        """Given `name==version`, return a sentence if it is surely nowhere to be had."""


class Readiness(Protocol):
    """Tells whether Kafka answers, and how the projection is."""

    def kafka(self) -> str | None:
        """Return None where Kafka answers, else a sentence."""

    def trouble(self) -> str | None:
        """Return None while what happens is being read, else a sentence."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Parts:
    """All of it."""

    key: ClusterKeys = field(repr=False)
    key_changing: KeyChanging
    requests: Requests
    logs: Logs
    topics: Topics
    catalogue: Catalogue
    readiness: Readiness
    packages_folder: Path
    now: Callable[[], datetime] = _now
    draw: Callable[[], str]  # the random suffix of a run that is asked for by hand
    version: str = ""

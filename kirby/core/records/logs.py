"""What scripts say, and what could not be read."""

from datetime import datetime
from enum import Enum

from kirby.core.names import (
    Host,
)
from kirby.core.nouns import (
    Noun,
)
from kirby.core.records.record import Record


class Stream(Enum):
    """Where a line came from."""

    OUT = "out"
    ERR = "err"
    LOG = "log"
    KIRBY = "kirby"  # a note of Kirby's own: what was cut or dropped


class Line(Noun, frozen=True, kw_only=True):
    """One line of an attempt's output, redacted."""

    at: datetime
    stream: Stream
    text: str
    level: str = ""
    cut: bool = False


class Lines(Record, frozen=True, kw_only=True, tag="lines"):
    """A batch of lines in order. Key: run id or instance id."""

    run: str
    attempt: int
    host: Host
    first: int  # number of the first line, from 0
    lines: tuple[Line, ...]


class DeadLetter(Record, frozen=True, kw_only=True, tag="dead-letter"):
    """A record that could not be read. Key: topic."""

    topic: str
    partition: int
    offset: int
    reason: str
    value: str  # base64
    at: datetime

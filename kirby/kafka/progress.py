"""How a long task of the embedded broker tells how far it is."""

from enum import Enum
from typing import Protocol


class Stage(Enum):
    """What is being done; the value is what a person reads."""

    FETCH = "Apache Kafka 4.1"  # counted in bytes
    FORMAT = "room for Kafka's data"
    START = "Kafka"
    KEEP = "faster start of Kafka kept for next time"


class Progress(Protocol):
    """Told at the begin of a stage (done 0), now and then, and at its end (done equals total)."""

    def __call__(self, stage: Stage, done: int, total: int) -> None:
        """Take note; must be quick, and may be called from several threads, one at a time."""


def silent(stage: Stage, done: int, total: int) -> None:
    """Take note of nothing."""

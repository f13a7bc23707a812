"""The manner of all records, and the topics that hold them."""

from enum import Enum

from kirby.core.nouns import (
    Noun,
)

VERSION = 1


class TopicName(Enum):
    """The internal topics, without the prefix of the installation (`.kirby.` by default)."""

    OFFERS = "job-offers.scheduled"
    DAEMONS = "job-offers.daemon"
    CLAIMS = "claims"
    HOSTS = "hosts"
    REQUESTS = "requests"
    RUNS = "runs"
    LOGS = "logs"
    LEADERSHIP = "leadership"
    SCHEDULE = "schedule"
    CURSOR = "cursor"
    DEAD_LETTERS = "dead-letters"


class Record(Noun, frozen=True, kw_only=True, tag_field="type"):
    """The manner of every record."""

    v: int = VERSION

"""The settings of a script's Kafka clients. What `KIRBY_KAFKA` says goes before the defaults."""

import re
from collections.abc import Mapping

# A broker that restarts is back within this; what it has not taken by then has failed.
DELIVERY_LIMIT_MS = 120_000
# How long the partitions of a script that was killed lie idle. Brokers allow no less than 6 s.
SESSION_LIMIT_MS = 10_000
COMMIT_INTERVAL_MS = 500
# Small buffers: many scripts share a host, and librdkafka's own defaults take up to 1 GB.
WRITE_BUFFER_KB = 32 * 1024
READ_BUFFER_KB = 16 * 1024
READ_AHEAD = 2_000  # records
_LONGEST_MEMBER = 249  # characters, the broker's limit

_BOTH = {"reconnect.backoff.max.ms": "1000", "socket.keepalive.enable": "true"}
_WRITING = {
    "linger.ms": "5",
    "compression.type": "lz4",
    "partitioner": "murmur2_random",  # as Java's clients do, so that their keys meet ours
    "delivery.timeout.ms": str(DELIVERY_LIMIT_MS),
    "queue.buffering.max.kbytes": str(WRITE_BUFFER_KB),
}
_READING = {
    "auto.offset.reset": "earliest",
    "isolation.level": "read_committed",
    "queued.max.messages.kbytes": str(READ_BUFFER_KB),
    "queued.min.messages": str(READ_AHEAD),
    # By default the client rests for 1 s whenever it has read enough ahead.
    "fetch.queue.backoff.ms": "20",
}
# The end of a partition is known when a fetch comes back empty, which takes 0.5 s by default.
_OUTSIDE = {"fetch.wait.max.ms": "50"}
_GROUP = {
    "partition.assignment.strategy": "cooperative-sticky",
    "session.timeout.ms": str(SESSION_LIMIT_MS),
    "auto.commit.interval.ms": str(COMMIT_INTERVAL_MS),
}


def for_writing(given: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a producer that neither loses nor reorders."""
    return {**_BOTH, **_WRITING, **given, "acks": "all", "enable.idempotence": "true"}


def member_of(instance: str, topic: str, number: int) -> str:
    """Name a daemon's reader as a static member; empty for what is no daemon's instance."""
    if not instance:
        return ""
    legal = re.sub(r"[^A-Za-z0-9._-]", ".", f"{instance}.{topic}.{number}")
    return legal[-_LONGEST_MEMBER:]


def for_group(given: Mapping[str, str], group: str, member: str = "") -> dict[str, str]:
    """Return the settings of a group's member, which commits only what it is told to.

    A member with a name is a static one: it keeps its partitions over a restart.
    """
    return {
        **_BOTH,
        **_READING,
        **_GROUP,
        **({"group.instance.id": member} if member else {}),
        **given,
        "group.id": group,
        "enable.auto.commit": "true",
        "enable.auto.offset.store": "false",
    }


def for_outside(given: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of a reader that belongs to no group and commits nothing."""
    return {
        **_BOTH,
        **_READING,
        **_OUTSIDE,
        **given,
        "group.id": "kirby-outside",  # the client asks for one, and never joins it
        "enable.auto.commit": "false",
        "enable.partition.eof": "true",
    }


def for_admin(given: Mapping[str, str]) -> dict[str, str]:
    """Return the settings of the client that makes topics."""
    return {**_BOTH, **given}

"""The real Kafka that integration tests use: one for a whole session, whoever runs it.

`KIRBY_TEST_KAFKA=host:port` names one that is there already; else it is the product's own embedded
broker, started by the first test that asks and stopped by the last worker that leaves.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from unittest import mock

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

from kirby.kafka import broker_process, embedded

# One broker serves hundreds of tests, each with dozens of partitions.
ROOMY = tuple("-Xmx256m" if flag.startswith("-Xmx") else flag for flag in broker_process.SMALL)
DELETE_WITHIN_S = 30.0


@contextmanager
def shared_kafka(folder: Path) -> Iterator[str]:
    """Give `host:port`; `folder` is the same for all workers of a session."""
    named = os.environ.get("KIRBY_TEST_KAFKA")
    if named:
        yield named
        return
    with _alone(folder):
        with mock.patch.object(broker_process, "SMALL", ROOMY):
            bootstrap = embedded.ensure(folder / "kafka")
        _count(folder, +1)
    try:
        yield bootstrap
    finally:
        with _alone(folder):
            if _count(folder, -1) == 0:
                embedded.stop(folder / "kafka")
                shutil.rmtree(folder / "kafka", ignore_errors=True)


def new_prefix() -> str:
    """Draw the prefix of one test's own topics."""
    return f".kirby-test-{secrets.token_hex(4)}."


def delete_topics(bootstrap: str, prefix: str) -> None:
    """Delete what a test made; a broker that a test has ended holds nothing."""
    admin = AdminClient({"bootstrap.servers": bootstrap})
    with suppress(KafkaException):
        found = admin.list_topics(timeout=DELETE_WITHIN_S).topics
        names = [name for name in found if prefix in name]
        if names:
            for future in admin.delete_topics(names, request_timeout=DELETE_WITHIN_S).values():
                future.exception(DELETE_WITHIN_S)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "users.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _count(folder: Path, step: int) -> int:
    path = folder / "users"
    users = (int(path.read_text()) if path.exists() else 0) + step
    path.write_text(str(users))
    return users

"""The real Kafka that integration tests use: one for a whole session, whoever runs it.

`KIRBY_TEST_KAFKA=host:port` names one that is there already; else it is the product's own embedded
broker, started by the first test that asks and stopped by the last worker that leaves.
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kirby.kafka import embedded


@contextmanager
def shared_kafka(folder: Path) -> Iterator[str]:
    """Give `host:port`; `folder` is the same for all workers of a session."""
    named = os.environ.get("KIRBY_TEST_KAFKA")
    if named:
        yield named
        return
    with _alone(folder):
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

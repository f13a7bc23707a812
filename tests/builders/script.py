"""Builders for the script library's tests: a session over a fake Kafka, topics filled with JSON."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kirby.script import session as sessions
from kirby.script.ports import Received
from kirby.script.session import Session
from kirby.script.surroundings import Surroundings
from tests.fakes.script_kafka import FakeKafka


def surroundings(**given: Any) -> Surroundings:
    """Return those of a run, without a web service."""
    facts: dict[str, Any] = {
        "run": "pump/prod@2026-05-01T06:00:00Z",
        "attempt": 1,
        "fencing_token": 7,
        "job": "pump",
        "environment": "prod",
        "host": "alpha",
        "package": "pump==1.4.0",
        "group": "prod.pump",
    }
    return Surroundings(**{**facts, **given})


@contextmanager
def a_session(kafka: FakeKafka, **given: Any) -> Iterator[Session]:
    """Let topics talk to this Kafka as the script of one run."""
    session = Session(surroundings(**given), kafka)
    sessions.use(session)
    try:
        yield session
    finally:
        session.halt()
        sessions.use(None)


def a_kafka(**topics: list[Any]) -> FakeKafka:
    """Return a Kafka with topics whose records hold these values, all under one key."""
    kafka = FakeKafka()
    for topic, values in topics.items():
        fill(kafka, topic, values)
    return kafka


def fill(kafka: FakeKafka, topic: str, values: list[Any], *, key: str = "bread") -> None:
    """Write values as another script would."""
    kafka.create(topic)
    for value in values:
        kafka.take(topic, key.encode(), json.dumps(value).encode(), [])


def values(records: list[Received]) -> list[Any]:
    """Return what the records hold."""
    return [json.loads(record.value or b"null") for record in records]


def header(record: Received, name: str) -> str | None:
    """Return a header of a record as text."""
    found = dict(record.headers).get(name)
    return None if found is None else found.decode()


def committed(kafka: FakeKafka, topic: str, group: str = "prod.pump") -> int:
    """Return how many records of a topic the group will not see again."""
    return sum(
        offset for (name, of, _), offset in kafka.committed.items() if (name, of) == (group, topic)
    )

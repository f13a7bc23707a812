"""Fixtures of all tiers."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kafka_for_tests import delete_topics, new_prefix, shared_kafka


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Iterator[str]:
    """Give the address of a real Kafka, one for the session."""
    base = tmp_path_factory.getbasetemp()
    of_all_workers: Path = base if worker_id == "master" else base.parent
    with shared_kafka(of_all_workers / "shared-kafka") as bootstrap:
        yield bootstrap


@pytest.fixture
def topic_prefix(request: pytest.FixtureRequest) -> Iterator[str]:
    """Give the prefix of this test's own topics; what a test makes of them goes with it."""
    prefix = new_prefix()
    yield prefix
    if "kafka" in request.fixturenames:
        delete_topics(request.getfixturevalue("kafka"), prefix)


def pytest_unconfigure() -> None:
    """End the PostgreSQL of this process, if there is one: a worker of xdist has no other end."""
    module = sys.modules.get("tests.postgresql_for_tests")
    if module is not None:
        module.end_all()

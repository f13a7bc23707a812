"""Hosts for the stories. Each leaves no process behind, also where a story fails."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.stories.host import Host


@contextmanager
def a_host(folder: Path) -> Iterator[Host]:
    """Start a host with the errand published; end all of it."""
    host = Host(folder)
    try:
        host.start()
        host.publishes("errand.py")
        yield host
    finally:
        host.clean_up()


@pytest.fixture(scope="session")
def shared_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Give the host of all stories that do not disturb each other."""
    with a_host(tmp_path_factory.mktemp("shared")) as host:
        yield host


@pytest.fixture(scope="module")
def own_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """Give a host that the stories of a module may maltreat."""
    with a_host(tmp_path_factory.mktemp("own")) as host:
        yield host

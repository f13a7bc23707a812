"""What a host starts beside its actors, and what a killed start process leaves of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from kirby.actors import system
from kirby.actors.services import Shim
from kirby.core.errors import NotFound
from kirby.host.state import StateFolder

pytestmark = pytest.mark.integration


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[StateFolder]:
    folder = StateFolder(path=tmp_path / "state")
    folder.prepare()
    yield folder
    Shim(folder=folder).end()


def test_a_stop_ends_what_a_killed_start_process_left(folder: StateFolder) -> None:
    shim = Shim(folder=folder)
    shim.start()
    before = shim.running()

    code = system.stop(folder, print)

    assert before is not None
    assert code == 0
    assert shim.running() is None


def test_a_stop_where_nothing_runs_says_so(folder: StateFolder) -> None:
    with pytest.raises(NotFound, match="there is nothing to stop"):
        system.stop(folder, print)


def test_a_status_where_nothing_runs_says_what_to_do(folder: StateFolder) -> None:
    with pytest.raises(NotFound, match="start it with 'kirby start'"):
        system.status(folder, print)


def test_a_shim_that_runs_is_found_and_not_started_twice(folder: StateFolder) -> None:
    Shim(folder=folder).start()
    first = Shim(folder=folder).running()

    Shim(folder=folder).start()

    assert Shim(folder=folder).running() == first
    assert Shim(folder=folder).scripts() == []

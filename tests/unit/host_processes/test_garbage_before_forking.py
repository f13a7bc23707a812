"""What the start process no longer needs is not left for the actors to collect."""

import gc
from collections.abc import Iterator

import pytest

from kirby.actors.actor_system import collect_before_forking


class Client:
    """Refers to itself, as a client with callbacks of its own does, and tells of its end."""

    def __init__(self, told: list[str]) -> None:
        self.told, self.callback = told, self.end

    def end(self) -> None:
        self.told.append("collected")

    def __del__(self) -> None:
        self.end()


@pytest.fixture
def lazy_collection() -> Iterator[None]:
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("lazy_collection")
def test_a_client_that_nobody_holds_is_collected_before_the_fork() -> None:
    told: list[str] = []
    Client(told)

    collect_before_forking()

    assert told == ["collected"]


@pytest.mark.usefixtures("lazy_collection")
def test_what_lives_is_left_alone_by_the_collections_of_the_children() -> None:
    collect_before_forking()

    assert gc.get_freeze_count() > 0

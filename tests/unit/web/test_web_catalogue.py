from collections.abc import Iterator
from pathlib import Path

import pytest

from kirby.model.package_files import keep_package
from kirby.web.catalogue import MUTE_S, PackageCatalogue
from tests.builders.databases import a_database
from tests.builders.model import NOON


@pytest.fixture(autouse=True)
def opened(tmp_path: Path) -> Iterator[None]:
    with a_database(tmp_path):
        keep_package("forecast-0.9.2.tar.gz", "forecast", "0.9.2", b"x", "anna", NOON)
        yield


class Elsewhere:
    """The other index: answers with a status, or not at all."""

    def __init__(self, status: int | None) -> None:
        self.status = status
        self.asked: list[str] = []

    def __call__(self, address: str) -> int | None:
        self.asked.append(address)
        return self.status


def lacks(package: str, elsewhere: Elsewhere) -> str | None:
    return PackageCatalogue(index="https://index.example/simple", ask=elsewhere).lacks(package)


def test_what_the_built_in_index_has_is_not_asked_for_elsewhere() -> None:
    elsewhere = Elsewhere(404)

    assert lacks("forecast==0.9.2", elsewhere) is None
    assert elsewhere.asked == []


def test_a_version_that_the_built_in_index_lacks_is_lacking_whatever_the_other_has() -> None:
    sentence = lacks("forecast==0.9.3", Elsewhere(200))

    assert sentence == 'package "forecast==0.9.3": the index has no such version, but 0.9.2'


def test_a_package_that_no_index_has_is_lacking_and_the_near_one_is_named() -> None:
    sentence = lacks("forecst==0.9.2", Elsewhere(404))

    assert sentence is not None
    assert sentence.endswith("no such package in the index; did you mean forecast?")


def test_a_package_of_the_other_index_is_there() -> None:
    elsewhere = Elsewhere(200)

    assert lacks("requests==2.32.0", elsewhere) is None
    assert elsewhere.asked == ["https://index.example/simple/requests/"]


def test_where_the_other_index_is_mute_only_a_near_name_is_refused() -> None:
    assert lacks("requests==2.32.0", Elsewhere(None)) is None
    assert lacks("forecst==0.9.2", Elsewhere(None)) is not None


def test_a_mute_index_is_not_waited_for_again_so_soon() -> None:
    elsewhere, clock = Elsewhere(None), [0.0]
    catalogue = PackageCatalogue(ask=elsewhere, now=lambda: clock[0])

    catalogue.lacks("requests==2.32.0")
    catalogue.lacks("numpy==2.0.0")
    assert len(elsewhere.asked) == 1

    clock[0] += MUTE_S
    catalogue.lacks("numpy==2.0.0")
    assert len(elsewhere.asked) == 2

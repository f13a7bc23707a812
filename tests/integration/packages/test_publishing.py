"""From a person's file or folder into an index, and from there to a host that runs it."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kirby.core.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    ServiceUnreachable,
)
from kirby.core.requirement import Requirement, parse_requirement
from kirby.packages.outcome import BuildReady
from kirby.packages.publishing import Publication, publish
from kirby.packages.sources import Sources
from kirby.packages.store import EnvironmentStore
from tests.builders.packages import TOKEN, an_index, served

pytestmark = pytest.mark.integration

SALES = '''# /// script
# dependencies = ["idna"]
# ///
"""Sells."""
import sys
import idna

__version__ = "1.4.0"
print(idna.encode("crème.test").decode(), __name__, sys.argv[1:])
'''
PROJECT = """
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "fore-cast"
version = "0.9.2"
"""


@pytest.fixture
def index(tmp_path: Path) -> Iterator[str]:
    with served(an_index(tmp_path / "index")) as address:
        yield address


def a_script(folder: Path, text: str = SALES, name: str = "sensor_sales.py") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def a_project(folder: Path, metadata: str = PROJECT) -> Path:
    package = folder / "project" / "fore_cast"
    package.mkdir(parents=True)
    (package.parent / "pyproject.toml").write_text(metadata)
    (package / "__init__.py").write_text("")
    (package / "__main__.py").write_text("print('it will rain')\n")
    return package.parent


def runs(requirement: Requirement, index: str, state: Path) -> str:
    sources = Sources(built_in=(f"{index}simple/",), token=TOKEN)
    store = EnvironmentStore(state, sources=sources)
    assert isinstance(store.start_build(requirement).result(), BuildReady)
    environment = store.find(requirement)
    assert environment is not None
    ran = subprocess.run(environment.command, cwd="/", capture_output=True, text=True, check=True)
    return ran.stdout.strip()


def test_a_single_file_is_published_built_and_run(index: str, tmp_path: Path) -> None:
    publication = publish(a_script(tmp_path), address=index, token=TOKEN)

    assert str(publication) == "sensor-sales 1.4.0 published"
    assert runs(publication.requirement, index, tmp_path) == "xn--crme-6oa.test __main__ []"


def test_a_project_folder_is_published_built_and_run(index: str, tmp_path: Path) -> None:
    publication = publish(a_project(tmp_path), address=index, token=TOKEN)

    assert publication.requirement == parse_requirement("fore-cast==0.9.2")
    assert runs(publication.requirement, index, tmp_path) == "it will rain"


@pytest.mark.parametrize("make", [a_script, a_project])
def test_publishing_again_says_that_it_is_there(
    index: str, tmp_path: Path, make: Callable[[Path], Path]
) -> None:
    path = make(tmp_path)
    first = publish(path, address=index, token=TOKEN)

    again = publish(path, address=index, token=TOKEN)

    assert str(again) == str(first).replace("published", "is there already")


def test_a_version_that_is_there_with_other_content_is_refused(index: str, tmp_path: Path) -> None:
    publish(a_script(tmp_path), address=index, token=TOKEN)
    changed = a_script(tmp_path, SALES + "# changed\n")

    with pytest.raises(Conflict, match="already there with another content: publish the change"):
        publish(changed, address=index, token=TOKEN)

    assert isinstance(publish(changed, address=index, token=TOKEN, version="1.5"), Publication)


@pytest.mark.parametrize("token", ["", "kby_wrong"])
def test_without_a_good_token_nothing_is_published(index: str, tmp_path: Path, token: str) -> None:
    with pytest.raises(NotPermitted, match="token"):
        publish(a_script(tmp_path), address=index, token=token)


def test_an_index_that_is_down_is_told(tmp_path: Path) -> None:
    with pytest.raises(ServiceUnreachable, match=r"127\.0\.0\.1:9/ does not answer"):
        publish(a_script(tmp_path), address="http://127.0.0.1:9/", token=TOKEN)


def test_a_path_that_is_not_there_is_told(index: str, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no such file or folder"):
        publish(tmp_path / "sales.py", address=index, token=TOKEN)


def test_a_folder_that_is_no_project_is_told(index: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"there is no pyproject\.toml in it"):
        publish(tmp_path, address=index, token=TOKEN)


def test_a_file_of_another_kind_is_told(index: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"give a project folder, a \.py file or a wheel"):
        publish(a_script(tmp_path, name="sales.sh"), address=index, token=TOKEN)


def test_a_project_that_cannot_be_built_is_told_with_its_last_words(
    index: str, tmp_path: Path
) -> None:
    project = a_project(tmp_path, PROJECT.replace('version = "0.9.2"', 'version = "rainy"'))

    with pytest.raises(InvalidInput, match=r"it cannot be built: .*rainy"):
        publish(project, address=index, token=TOKEN)


def test_a_version_for_a_project_is_refused_with_where_it_belongs(
    index: str, tmp_path: Path
) -> None:
    with pytest.raises(InvalidInput, match=r"a project's version stands in its pyproject\.toml"):
        publish(a_project(tmp_path), address=index, token=TOKEN, version="2.0")

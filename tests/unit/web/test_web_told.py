"""What the web service is told: by the start process, by flags, by its environment."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kirby.actors.actor_system import for_actors
from kirby.actors.services import WebService
from kirby.core.configuration import HostConfiguration
from kirby.core.errors import InvalidConfiguration
from kirby.core.names import Host
from kirby.host.host_file import HostFile, read_host_file, write_host_file
from kirby.host.state import StateFolder
from kirby.web.__main__ import _parser, settings_of

URL = "postgresql://kirby:crumbs@db.example/kirby"
OTHER = "postgresql://kirby:other@db.example/kirby"


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """Give a state folder whose start process named a database."""
    folder = StateFolder(path=tmp_path)
    configuration = HostConfiguration(
        name=Host("alpha"), state=str(tmp_path), kafka="k:9092", database=URL
    )
    told = HostFile(pid=1, since=datetime.now(UTC), configuration=configuration)
    write_host_file(folder, told)
    return folder


def told(folder: StateFolder, *flags: str, **environment: str):
    given = vars(_parser().parse_args(["--state", str(folder.path), *flags]))
    return settings_of(given, environment)


def test_the_database_of_the_start_process_is_the_one_of_the_web_service_that_it_starts(folder):
    assert told(folder).database == URL


def test_no_word_of_the_command_that_starts_it_holds_the_password(folder):
    assert not any("crumbs" in word for word in WebService(folder=folder).command())


def test_a_flag_and_then_a_variable_go_before_what_the_start_process_says(folder):
    assert told(folder, KIRBY_DATABASE=OTHER).database == OTHER
    assert told(folder, "--database", "sqlite:///x.db", KIRBY_DATABASE=OTHER).database == (
        "sqlite:///x.db"
    )


def test_a_web_service_with_a_file_of_its_own_takes_the_database_from_there(folder, tmp_path):
    (tmp_path / "web.toml").write_text(
        f'[kafka]\nbootstrap = "k:9092"\n[web]\ndatabase = "{OTHER}"\n'
    )

    assert told(folder, "--config", str(tmp_path / "web.toml")).database == OTHER


def test_a_database_of_another_kind_is_refused_by_name_of_its_flag(folder):
    with pytest.raises(InvalidConfiguration, match="--database: this is no database"):
        told(folder, "--database", "mysql://db.example/kirby")


def test_the_actors_are_not_told_of_the_database(folder):
    host = read_host_file(folder)

    assert host is not None
    assert for_actors(host.configuration) == replace(host.configuration, database="")

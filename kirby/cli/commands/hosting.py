"""One host: start, stop, status, and the upgrade of its database."""

import os
from argparse import Namespace

from kirby.actors import system
from kirby.cli.connecting import folder_of
from kirby.cli.fetching import FetchProgress
from kirby.cli.terminal import Terminal
from kirby.core.configuration_fields import DATABASE_VARIABLE
from kirby.core.errors import ExitCode
from kirby.host.host_file import read_host_file
from kirby.host.state import StateFolder
from kirby.model import database, migrations


def start(given: Namespace, terminal: Terminal) -> ExitCode:
    """Run a host until it is told to stop."""
    configuration = system.configuration_of(vars(given))
    with FetchProgress(terminal) as progress:
        return system.start(configuration, terminal.say, progress=progress.note)


def stop(given: Namespace, terminal: Terminal) -> ExitCode:
    """End a host; name what stays."""
    return system.stop(folder_of(given), terminal.say, with_scripts=given.with_scripts)


def status(given: Namespace, terminal: Terminal) -> ExitCode:
    """Show how a host is."""
    return system.status(folder_of(given), system.say, as_json=given.json)


def upgrade(given: Namespace, terminal: Terminal) -> ExitCode:
    """Apply what is new to the database."""
    folder = folder_of(given)
    database.bind(database.connect(given.database or _database_of(folder)))
    before, after = migrations.upgrade()
    terminal.data({"before": before, "after": after})
    told = f"upgraded from version {before} to {after}" if before < after else "up to date already"
    terminal.say(f"the database is {told}")
    return ExitCode.OK


def _database_of(folder: StateFolder) -> str:
    """Return the database that this host's web service uses, as far as that is told."""
    host = read_host_file(folder)
    named = os.environ.get(DATABASE_VARIABLE) or (host.configuration.database if host else "")
    return named or f"sqlite:///{folder.web / 'kirby.db'}"

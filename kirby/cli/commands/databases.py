"""The database: brought to this version, or copied into another."""

import os
from argparse import Namespace
from datetime import UTC, datetime

from kirby.cli.connecting import folder_of
from kirby.cli.terminal import Terminal
from kirby.core.configuration_fields import DATABASE_VARIABLE
from kirby.core.errors import ExitCode, InvalidInput
from kirby.host.host_file import read_host_file
from kirby.host.state import StateFolder
from kirby.model import database, migrations
from kirby.model.copying import copy_database


def work(given: Namespace, terminal: Terminal) -> ExitCode:
    """Do what was asked for."""
    return upgrade(given, terminal) if given.action == "upgrade" else copy(given, terminal)


def upgrade(given: Namespace, terminal: Terminal) -> ExitCode:
    """Apply what is new to the database."""
    folder = folder_of(given)
    database.bind(database.connect(given.database or _database_of(folder)))
    before, after = migrations.upgrade()
    terminal.data({"before": before, "after": after})
    told = f"upgraded from version {before} to {after}" if before < after else "up to date already"
    terminal.say(f"the database is {told}")
    return ExitCode.OK


def copy(given: Namespace, terminal: Terminal) -> ExitCode:
    """Copy all of a database into an empty one."""
    if not given.target:
        raise InvalidInput("name the database to copy to with --to URL", field="to")
    source = given.source or _database_of(folder_of(given))
    with terminal.progress() as progress:
        lines = {}

        def tell(table: str, done: int, rows: int) -> None:
            if table not in lines:
                lines[table] = progress.add_task(table, total=rows)
            progress.update(lines[table], completed=done)

        counts = copy_database(source, given.target, datetime.now(UTC), tell)
    terminal.data({"rows": counts})
    whole = f"{sum(counts.values())} rows of {len(counts)} tables"
    terminal.say(f"{whole} are in both databases: name the new one with --database from now on")
    return ExitCode.OK


def _database_of(folder: StateFolder) -> str:
    """Return the database that this host's web service uses, as far as that is told."""
    host = read_host_file(folder)
    named = os.environ.get(DATABASE_VARIABLE) or (host.configuration.database if host else "")
    return named or f"sqlite:///{folder.web / 'kirby.db'}"

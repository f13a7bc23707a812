"""One host: start, stop, status."""

from argparse import Namespace

from kirby.actors import system
from kirby.cli.connecting import folder_of
from kirby.cli.fetching import FetchProgress
from kirby.cli.terminal import Terminal
from kirby.core.errors import ExitCode


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

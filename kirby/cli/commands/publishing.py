"""`publish`: a script becomes a package in the built-in index."""

import os
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING

from kirby.cli.connecting import TOKEN, service_of
from kirby.cli.terminal import Terminal
from kirby.core.errors import ExitCode
from kirby.packages.publishing import publish as publish_package

if TYPE_CHECKING:
    from kirby.cli.main import Commands


def register(commands: "Commands") -> None:
    """Add the command."""
    command = commands.add(
        "publish", publish, "put a project folder or a single file into an index"
    )
    command.add_argument("path", type=Path, metavar="PATH")
    command.add_argument("--version", dest="package_version", help="of a single file without one")
    command.add_argument("--index", metavar="URL", help="another index than the built-in one")
    command.add_argument("--index-token", metavar="TOKEN", help="of that index (or KIRBY_TOKEN)")


def publish(given: Namespace, terminal: Terminal) -> ExitCode:
    """Make a wheel and upload it."""
    if given.index:
        address, token = given.index, given.index_token or os.environ.get(TOKEN, "")
    else:
        service = service_of(given)
        address, token = f"{service.url.rstrip('/')}/packages/", service.token
    with terminal.waiting(f"publishing {given.path} …"):
        done = publish_package(
            given.path, address=address, token=token, version=given.package_version
        )
    terminal.data(
        {
            "name": done.requirement.name,
            "version": done.requirement.version,
            "outcome": done.outcome.value,
        }
    )
    terminal.say(str(done))
    return ExitCode.OK

"""`publish`: a script becomes a package in the built-in index."""

import os
from argparse import Namespace

from kirby.cli.connecting import TOKEN, service_of
from kirby.cli.terminal import Terminal
from kirby.core.errors import ExitCode
from kirby.packages.publishing import publish as publish_package


def publish(given: Namespace, terminal: Terminal) -> ExitCode:
    """Make a wheel and upload it."""
    if given.index:
        address, token = given.index, given.index_token or os.environ.get(TOKEN, "")
    else:
        service = service_of(given)
        address, token = f"{service.settle()}/packages/", service.token
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

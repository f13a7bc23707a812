"""`kirby`: everything a person types."""

import argparse
import signal
import sys
import traceback
from collections.abc import Sequence
from typing import Never

from kirby import __version__
from kirby.cli.commands import (
    acting,
    demo,
    documents,
    executing,
    hosting,
    logs,
    looking,
    publishing,
    runs,
)
from kirby.cli.terminal import Terminal
from kirby.core.errors import ExitCode, Fault, InvalidInput, KirbyError

GROUPS = (hosting, demo, publishing, documents, looking, runs, logs, acting, executing)


class Parser(argparse.ArgumentParser):
    """Says in one sentence what was typed wrong."""

    def error(self, message: str) -> Never:
        """End with the sentence and where to read on."""
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}; see '{self.prog} --help'\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was typed; return the exit code."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `kirby runs | head` ends quietly
    given = parser().parse_args(arguments)
    terminal = Terminal(as_json=given.json)
    try:
        return int(given.run(given, terminal))
    except KirbyError as fault:
        _tell(fault, terminal)
        return fault.exit_code
    except KeyboardInterrupt:
        return ExitCode.INTERRUPTED
    except Exception as fault:  # no traceback reaches a user unasked
        if given.debug:
            traceback.print_exc()
        else:
            terminal.note(f"a fault of Kirby's own: {fault!r}; run again with --debug to see where")
        return ExitCode.BUG


def _tell(fault: KirbyError, terminal: Terminal) -> None:
    told = Fault(field="", sentence=str(fault))
    faults = fault.faults if isinstance(fault, InvalidInput) else (told,)
    terminal.data({"faults": [{"field": each.field, "sentence": each.sentence} for each in faults]})
    terminal.note(str(fault))


def parser() -> argparse.ArgumentParser:
    """Make the parser of all commands."""
    common = Parser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument("--debug", action="store_true", help="show where a fault came from")
    common.add_argument("--state", metavar="FOLDER", help="the state folder")
    whole = Parser(prog="kirby", description=__doc__)
    whole.add_argument("--version", action="version", version=f"kirby {__version__}")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for group in GROUPS:
        group.register(Commands(commands, common))
    return whole


class Commands:
    """Adds commands that share the common flags."""

    def __init__(
        self,
        commands: "argparse._SubParsersAction[Parser]",
        common: Parser,
    ) -> None:
        self._commands = commands
        self._common = common

    def add(self, name: str, run: object, about: str) -> argparse.ArgumentParser:
        """Add a command; `run(given, terminal)` carries it out and returns the exit code."""
        command = self._commands.add_parser(
            name, help=about, description=about, parents=[self._common]
        )
        command.set_defaults(run=run)
        return command


if __name__ == "__main__":
    sys.exit(main())

"""What can be typed: every command, its flags, and the function that carries it out.

The functions are named and not imported: a command costs only what it needs itself.
"""

import argparse
import importlib
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Never

from kirby import __version__
from kirby.actors.start_flags import add_start_flags
from kirby.cli.terminal import Terminal
from kirby.core.errors import ExitCode

Run = Callable[[argparse.Namespace, Terminal], int]


class Parser(argparse.ArgumentParser):
    """Says in one sentence what was typed wrong."""

    def error(self, message: str) -> Never:
        """End with the sentence and where to read on."""
        self.exit(ExitCode.USAGE, f"{self.prog}: {message}; see '{self.prog} --help'\n")


def run_of(given: argparse.Namespace) -> Run:
    """Import the function that carries out what was typed."""
    module, _, name = given.run.partition(":")
    found: Run = getattr(importlib.import_module(f"kirby.cli.commands.{module}"), name)
    return found


def parse(typed: Sequence[str]) -> argparse.Namespace:
    """Parse what was typed; what stands after `--` is kept as it is, for a script."""
    own = list(itertools.takewhile(lambda word: word != "--", typed))
    whole = parser()
    given = whole.parse_args(own)
    given.arguments = list(typed[len(own) + 1 :])
    if given.arguments and given.command != "exec":
        whole.error(f"'{given.command}' takes nothing after --")
    return given


def parser() -> Parser:
    """Make the parser of all commands."""
    common = Parser(add_help=False)
    common.add_argument("--json", action="store_true", help="print JSON")
    common.add_argument("--debug", action="store_true", help="show where a fault came from")
    common.add_argument("--state", metavar="FOLDER", help="the state folder")
    whole = Parser(prog="kirby", description="Everything a person types.")
    whole.add_argument("--version", action="version", version=f"kirby {__version__}")
    added = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(name: str, run: str, about: str) -> Parser:
        command = added.add_parser(name, help=about, description=about, parents=[common])
        command.set_defaults(run=run)
        return command

    for group in (_hosting, _keys, _packages, _documents, _looking, _acting):
        group(add)
    return whole


Add = Callable[[str, str, str], Parser]


def _hosting(add: Add) -> None:
    command = add("demo", "demo:demo", "run the bakery with all that it needs, until Ctrl-C")
    command.add_argument(
        "--hosts",
        type=int,
        choices=range(1, 10),
        default=1,
        metavar="HOSTS",
        help="how many share the work, 1 to 9; default: 1",
    )
    add_start_flags(add("start", "hosting:start", "run this host in the foreground, until Ctrl-C"))
    command = add("stop", "hosting:stop", "end this host; scripts go on")
    command.add_argument("--with-scripts", action="store_true", help="end the scripts, too")
    add("status", "hosting:status", "show how this host is")
    _database(add("db", "databases:work", "upgrade the database, or copy it into another"))


def _database(command: Parser) -> None:
    command.add_argument("action", choices=["upgrade", "copy"])
    command.add_argument(
        "--database", metavar="URL", help="to upgrade: sqlite:///PATH or postgresql://…"
    )
    command.add_argument("--from", dest="source", metavar="URL", help="to copy from")
    command.add_argument("--to", dest="target", metavar="URL", help="to copy to: an empty one")


def _keys(add: Add) -> None:
    about = "show, take, list or change the key that the hosts of a cluster share"
    command = add("key", "keys:key", about)
    command.add_argument("action", choices=["show", "take", "list", "rotate"])
    command.add_argument(
        "--file", type=Path, metavar="FILE", help="take: from here (default: standard input)"
    )
    command.add_argument("--replace", action="store_true", help="take: in place of another key")
    command.add_argument(
        "--grace",
        metavar="DURATION",
        help='rotate: how long the old key is taken (default: "24 h")',
    )
    command.add_argument(
        "--after", metavar="DURATION", help='rotate: in which time the new one counts ("1 min")'
    )


def _packages(add: Add) -> None:
    command = add("publish", "publishing:publish", "put a project or a single file into an index")
    command.add_argument("path", type=Path, metavar="PATH")
    command.add_argument("--version", dest="package_version", help="of a single file without one")
    command.add_argument("--index", metavar="URL", help="another index than the built-in one")
    command.add_argument("--index-token", metavar="TOKEN", help="of that index (or KIRBY_TOKEN)")
    command = add("exec", "executing:execute", "run a script here and now, outside the schedule")
    command.add_argument("path", type=Path, metavar="PATH", help="a project folder or a .py file")
    command.add_argument("--env", default="dev", help="whose variables it gets (default: dev)")
    command.add_argument("--job", help="default: the job that the package is of")
    command.epilog = "What stands after -- is for the script: kirby exec PATH -- --its-own-flag"


def _documents(add: Add) -> None:
    command = add("apply", "documents:apply", "have Kirby do what a document says")
    command.add_argument("file", type=Path, metavar="FILE")
    command.add_argument(
        "--prune", action="store_true", help="remove what the document no longer names"
    )
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument("--dry-run", action="store_true", help="only show the difference")
    add("export", "documents:export", "print the document that applies without a change")


def _looking(add: Add) -> None:
    command = add("jobs", "looking:jobs", "list the jobs with their environments")
    command.add_argument("job", nargs="?", metavar="JOB")
    command = add("next", "looking:following", "list what is due next")
    command.add_argument("job", nargs="?", metavar="JOB")
    command.add_argument("--env", help="the environment")
    command.add_argument("--count", type=int, default=10, help="how many (default: 10)")
    command = add("runs", "runs:runs", "list the runs, the latest first")
    command.add_argument("job", nargs="?", metavar="JOB", help="a job, or JOB/ENV")
    command.add_argument("--env", help="the environment")
    command.add_argument("--limit", type=int, default=50, help="how many (default: 50)")
    command.add_argument("--all", action="store_true", help="all that are kept")
    command.add_argument("--since", metavar="INSTANT", help="due then or later (RFC 3339)")
    command.add_argument("--until", metavar="INSTANT", help="due before (RFC 3339)")
    command.add_argument("--end", help="only with this end: succeeded, failed, lost, …")
    command = add("logs", "logs:logs", "show the output of a run or a daemon")
    command.add_argument("run_name", metavar="RUN", help="a run id, JOB, JOB@14:10 or JOB/ENV#HOST")
    command.add_argument("--env", help="the environment")
    command.add_argument("--attempt", type=int, help="which attempt (default: the latest)")
    command.add_argument("-f", "--follow", action="store_true", help="go on until it ends")
    add("daemons", "looking:daemons", "list the daemons on their hosts")
    add("hosts", "looking:hosts", "list the hosts")


def _acting(add: Add) -> None:
    command = _of_job(add("run", "acting:run", "run a job now"))
    command.add_argument("--wait", action="store_true", help="until it ends; fail if it does")
    command = add("cancel", "acting:cancel", "stop a run")
    command.add_argument("run_name", metavar="RUN", help="a run id, or JOB for its latest run")
    command.add_argument("--env", help="the environment")
    _of_job(add("restart", "acting:restart", "replace the running instances of a daemon"))
    _of_job(add("enable", "acting:enable", "let a job run again"))
    _of_job(add("disable", "acting:disable", "let a job run no more"))
    command = _of_job(add("suspend", "acting:suspend", "let a job not fire for a while"))
    command.add_argument("--for", dest="duration", metavar="DURATION", help='"2 h", "30 min"')
    command.add_argument("--from", dest="start", metavar="INSTANT", help="default: now")
    command.add_argument("--until", dest="end", metavar="INSTANT", help="RFC 3339")
    command.add_argument("--reason", default="", help="why; shown wherever it is skipped")
    command.add_argument("--remove", type=int, metavar="ID", help="end this suspension instead")
    command = add("drain", "draining:drain", "take a host out: its daemons move, its runs finish")
    command.add_argument("host", metavar="HOST")
    command.add_argument("--undo", action="store_true", help="let work go to it again")
    command.add_argument("--wait", action="store_true", help="until it holds nothing any more")
    command = add("token", "acting:token", "make or delete a token of a person or a program")
    command.add_argument("action", choices=["create", "delete"])
    command.add_argument("name", metavar="NAME", help="whom it is for")
    command.add_argument("--replace", action="store_true", help="the one of this name, if there is")
    command = add("sign-in", "acting:sign_in", "make a link that opens the pages, once")
    command.add_argument("--name", help="who signs in (default: the token's name)")


def _of_job(command: Parser) -> Parser:
    command.add_argument("job", metavar="JOB")
    command.add_argument("--env", help="the environment (default: the only one, or prod)")
    return command

"""Kafka's own matters: the embedded broker for a unit of its own, and what Kirby's user needs.

`python -m kirby.kafka start|stop --folder FOLDER`, `python -m kirby.kafka permissions`.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kirby.core.errors import EmbeddedKafkaFailed
from kirby.kafka import embedded
from kirby.kafka.needs import HOST_PARTS, WEB_PARTS, commands, commands_for_scripts
from kirby.kafka.settings import KafkaSettings


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the broker of a folder and say where it answers, stop it, or list permissions."""
    given = _parser().parse_args(arguments)
    if given.action == "permissions":
        sys.stdout.writelines(f"{line}\n" for line in _permissions(given))
        return 0
    try:
        if given.action == "stop":
            embedded.stop(given.folder)
        else:
            sys.stdout.write(f"Kafka answers on {embedded.ensure(given.folder)}\n")
    except EmbeddedKafkaFailed as fault:
        sys.stderr.write(f"{fault}\n")
        return fault.exit_code
    return 0


def _permissions(given: argparse.Namespace) -> list[str]:
    settings = KafkaSettings(bootstrap=given.bootstrap, prefix=given.prefix)
    lines = commands(settings, given.user, (*HOST_PARTS, *WEB_PARTS))
    if given.scripts_user:
        lines += commands_for_scripts(
            settings, given.scripts_user, given.scripts_topics, given.scripts_groups
        )
    if given.scripts_topics:  # `apply` has the web service make what a document names
        lines += commands_for_scripts(settings, given.user, given.scripts_topics, ())
    return list(dict.fromkeys(lines))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kirby.kafka", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    for action in ("start", "stop"):
        command = actions.add_parser(action, help=f"{action} the embedded broker")
        command.add_argument(
            "--folder", type=Path, required=True, help="`kafka` of the host's state folder"
        )
    command = actions.add_parser("permissions", help="list what Kirby's user needs, as commands")
    command.add_argument("--user", default="kirby", help="of Kirby in Kafka")
    command.add_argument("--bootstrap", default="localhost:9092", metavar="HOST:PORT,…")
    command.add_argument("--prefix", default=".kirby.", help="kafka.topic_prefix")
    command.add_argument("--scripts-user", metavar="USER", help="kafka.scripts.sasl_username")
    command.add_argument("--scripts-topics", nargs="*", default=(), metavar="BEGINNING")
    command.add_argument("--scripts-groups", nargs="*", default=(), metavar="BEGINNING")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The embedded broker alone, for a unit of its own: `python -m kirby.kafka start|stop`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kirby.core.errors import EmbeddedKafkaFailed
from kirby.kafka import embedded


def main(arguments: Sequence[str] | None = None) -> int:
    """Start the broker of a folder and say where it answers, or stop it."""
    given = _parser().parse_args(arguments)
    try:
        if given.action == "stop":
            embedded.stop(given.folder)
        else:
            sys.stdout.write(f"Kafka answers on {embedded.ensure(given.folder)}\n")
    except EmbeddedKafkaFailed as fault:
        sys.stderr.write(f"{fault}\n")
        return fault.exit_code
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kirby.kafka", description=__doc__)
    parser.add_argument("action", choices=["start", "stop"])
    parser.add_argument(
        "--folder", type=Path, required=True, help="`kafka` of the host's state folder"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())

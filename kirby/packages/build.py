"""The process that builds one environment: `python -m kirby.packages.build --state … --package …`.

It prints one line of JSON at its end (`packages.outcome`) and ends with its parent. Names and
passwords come in an environment variable, as JSON of `Sources`: a command line is for all to read.
"""

import argparse
import os
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

import msgspec

from kirby.core.errors import ExitCode, InstallationError, UserError
from kirby.core.requirement import parse_requirement
from kirby.packages.building import Order, build
from kirby.packages.environments import Places, base_python
from kirby.packages.eviction import MOST, MOST_BYTES, RECENT_SECONDS, Limits, evict, sweep
from kirby.packages.installation import own_digest
from kirby.packages.outcome import BuildFault, BuildReady, Outcome, encode_outcome
from kirby.packages.sources import SOURCES_VARIABLE, Sources
from kirby.packages.uv import die_with_parent


def main(arguments: Sequence[str]) -> int:
    """Build as asked; print the outcome."""
    die_with_parent()
    started = time.monotonic()
    asked = _parser().parse_args(arguments)
    environ = dict(os.environ)
    sources = msgspec.json.decode(environ.pop(SOURCES_VARIABLE, "{}"), type=Sources)
    places = Places(
        folder=Path(asked.state).absolute() / "environments",
        python=asked.python,
        own_digest=asked.own_digest or own_digest(),
    )
    outcome = _outcome(asked, places, sources, environ, started)
    _tidy(places, asked)
    sys.stdout.buffer.write(encode_outcome(outcome))
    sys.stdout.buffer.flush()
    return ExitCode.OK if isinstance(outcome, BuildReady) else ExitCode.FAILED


def _outcome(
    asked: argparse.Namespace,
    places: Places,
    sources: Sources,
    environ: dict[str, str],
    started: float,
) -> Outcome:
    try:
        order = Order(
            requirement=parse_requirement(asked.package),
            places=places,
            sources=sources,
            source_builds=asked.source_builds,
            environ=environ,
        )
        ready = build(order)
    except InstallationError as fault:
        return _fault(fault, temporary=fault.temporary)
    except UserError as fault:
        return _fault(fault, temporary=False)
    except Exception as fault:  # the one who waits must learn of it, whatever it is
        traceback.print_exc()
        sentence = f'package "{asked.package}": {type(fault).__name__}: {fault}'
        return BuildFault(kind="Bug", sentence=sentence, temporary=False)
    return BuildReady(path=str(ready.path), module=ready.module, seconds=time.monotonic() - started)


def _fault(fault: Exception, *, temporary: bool) -> BuildFault:
    return BuildFault(kind=type(fault).__name__, sentence=str(fault), temporary=temporary)


def _tidy(places: Places, asked: argparse.Namespace) -> None:
    """Make room; a fault of it is no fault of the build."""
    limits = Limits(
        count=asked.most, own_bytes=asked.most_bytes, recent_seconds=asked.recent_seconds
    )
    try:
        places.prepare()
        evict(places, limits, time.time())
        sweep(places, time.time())
    except OSError:
        traceback.print_exc()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kirby.packages.build", allow_abbrev=False)
    parser.add_argument("--state", required=True, help="the state folder")
    parser.add_argument("--package", required=True, help="name==version")
    parser.add_argument("--python", default=base_python(), help="the interpreter")
    # In a checkout that is being edited, the one who waits would look elsewhere otherwise.
    parser.add_argument("--own-digest", default="", help="what this Kirby is taken for")
    parser.add_argument("--source-builds", action="store_true", help="also without a wheel")
    parser.add_argument("--most", type=int, default=MOST, help="environments that are kept")
    parser.add_argument("--most-bytes", type=int, default=MOST_BYTES, help="and their size")
    parser.add_argument(
        "--recent-seconds", type=float, default=RECENT_SECONDS, help="used within: always kept"
    )
    return parser


if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stderr.flush()
    os._exit(status)  # who waits is told of the end a few milliseconds sooner

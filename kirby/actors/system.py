"""One host from the command line: `python -m kirby.actors.system start|stop|status`."""

import argparse
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kirby.actors import control
from kirby.actors.boot import Say, StartProcess
from kirby.actors.joining import joined, learn_key_changes
from kirby.actors.services import services_of
from kirby.actors.start_flags import add_start_flags
from kirby.actors.starting import end_services, holder_of
from kirby.actors.status import lines_of
from kirby.core.configuration import HostConfiguration, configure
from kirby.core.errors import Conflict, ExitCode, KirbyError, NotFound
from kirby.core.names import Host
from kirby.core.visible import visible
from kirby.host import locks
from kirby.host.processes import wait_until
from kirby.host.settings_file import read_settings, this_machine
from kirby.host.state import StateFolder
from kirby.kafka.progress import Progress, silent

STOP_WITHIN_S = 120.0  # scripts that are ended have their grace, and Kafka its time
STATUS_WITHIN_S = 8.0
_FLAGS = {
    "name": "name",
    "address": "address",
    "port": "port",
    "slots": "slots",
    "priority": "priority",
    "convention_leader": "convention_leader",
    "state": "state",
    "kafka": "kafka.bootstrap",
    "web": "web.urls",
    "web_listen": "web.listen",
    "database": "web.database",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line says; return the exit code."""
    given = _parser().parse_args(arguments)
    try:
        match given.command:
            case "start":
                return start(configuration_of(vars(given)), say)
            case "stop":
                return stop(_folder(given.state), say, with_scripts=given.with_scripts)
            case _:
                return status(_folder(given.state), say, as_json=given.json)
    except KirbyError as fault:
        sys.stderr.write(f"{visible(str(fault))}\n")
        return fault.exit_code


def start(configuration: HostConfiguration, say: Say, *, progress: Progress = silent) -> ExitCode:
    """Run a host in the foreground until it is told to stop.

    Raises:
        StartRefused: one of its kinds, each with an exit code of its own.
    """
    folder = StateFolder(path=Path(configuration.state).absolute())
    learn_key_changes(configuration, folder)
    configuration = joined(configuration, folder, say)
    return StartProcess(configuration, services_of(configuration, folder, progress), say).run()


def stop(folder: StateFolder, say: Say, *, with_scripts: bool = False) -> ExitCode:
    """End the host of a state folder; say what stays, and why.

    Raises:
        NotFound: nothing of Kirby runs there.
        Conflict: it does not end.
    """
    request = {"do": "stop", "with_scripts": with_scripts}
    try:
        for answer in control.ask(folder, request, within_s=STOP_WITHIN_S):
            if "say" in answer:
                say(answer["say"])
    except (ConnectionError, FileNotFoundError):
        if not locks.is_taken(folder.lock):
            return _stop_what_stayed(folder, say, with_scripts=with_scripts)
        os.kill(holder_of(folder), signal.SIGTERM)  # it is still starting, and answers nobody
    except TimeoutError:
        raise _mute(folder) from None
    if not wait_until(lambda: not locks.is_taken(folder.lock), STOP_WITHIN_S):
        raise _mute(folder)
    return ExitCode.OK


def status(folder: StateFolder, say: Say, *, as_json: bool = False) -> ExitCode:
    """Say how the host of a state folder is.

    Raises:
        NotFound: no start process runs there.
        Conflict: it is still starting, or does not answer.
    """
    try:
        answer = next(control.ask(folder, {"do": "status"}, within_s=STATUS_WITHIN_S))
    except TimeoutError:
        raise _mute(folder) from None
    except (ConnectionError, FileNotFoundError, StopIteration):
        if locks.is_taken(folder.lock):
            raise Conflict(
                f"Kirby (pid {holder_of(folder)}) is just starting on {folder.path}: "
                "ask again in a moment"
            ) from None
        raise NotFound(
            f"no Kirby runs on {folder.path}: start it with 'kirby start', "
            "or name another folder with --state"
        ) from None
    for line in [json.dumps(answer)] if as_json else lines_of(answer):
        say(line)
    return ExitCode.OK


def _mute(folder: StateFolder) -> Conflict:
    return Conflict(
        f"Kirby (pid {holder_of(folder)}) on {folder.path} does not answer now: "
        f"ask again in a moment, or look into {folder.log}"
    )


def configuration_of(
    given: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> HostConfiguration:
    """Put a host's configuration together from flags (by their names), environment and file.

    Raises:
        InvalidConfiguration: with all faults.
    """
    return configure(
        machine=this_machine(),
        flags={field: given.get(flag) for flag, field in _FLAGS.items()},
        environment=environment,
        file=read_settings(given.get("config")),
    )


def say(line: str) -> None:
    """Write a line for whoever started this."""
    sys.stdout.write(f"{visible(line)}\n")
    sys.stdout.flush()


def _stop_what_stayed(folder: StateFolder, say: Say, *, with_scripts: bool) -> ExitCode:
    """End what an earlier stop, or a killed start process, left running."""
    nothing_elsewhere = HostConfiguration(name=Host("any"), state=str(folder.path))
    services = services_of(nothing_elsewhere, folder)
    if not any(service.running() for service in services):
        raise NotFound(f"no Kirby runs on {folder.path}: there is nothing to stop")
    for line in end_services(services, with_scripts=with_scripts):
        say(line)
    return ExitCode.OK


def _folder(state: str | None) -> StateFolder:
    return StateFolder(path=Path(state or this_machine().state).absolute())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kirby.actors.system", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    begin = commands.add_parser("start", help="run a host in the foreground, until SIGTERM")
    add_start_flags(begin)
    end = commands.add_parser("stop", help="end a host; scripts go on")
    end.add_argument("--with-scripts", action="store_true", help="end the scripts, too")
    shown = commands.add_parser("status", help="show how a host is")
    shown.add_argument("--json", action="store_true", help="as one line of JSON")
    for command in (begin, end, shown):
        command.add_argument("--state", metavar="FOLDER", help="the state folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())

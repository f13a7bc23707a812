"""The web service from the command line: `python -m kirby.web --state FOLDER`."""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from kirby.core.configuration import HostConfiguration, configure
from kirby.core.configuration_fields import DATABASE_VARIABLE, FIELDS, Unfit
from kirby.core.errors import InvalidConfiguration, KafkaNotReachable, KirbyError
from kirby.core.visible import visible
from kirby.host.host_file import read_host_file
from kirby.host.settings_file import read_settings, this_machine
from kirby.host.state import StateFolder
from kirby.kafka.broker_files import BrokerFolder, kept_ports
from kirby.web.server import WebProcess, WebSettings

FLAGS = {
    "kafka": "kafka.bootstrap",
    "state": "state",
    "listen": "web.listen",
    "database": "web.database",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Answer until told to end; return the exit code."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    given = vars(_parser().parse_args(arguments))
    try:
        WebProcess(settings=settings_of(given, os.environ)).run()
    except KirbyError as fault:
        sys.stderr.write(f"{visible(str(fault))}\n")
        return fault.exit_code
    return 0


def settings_of(given: Mapping[str, Any], environment: Mapping[str, str]) -> WebSettings:
    """Put together what the process was told: by flags, and else by the host's start process.

    Raises:
        InvalidConfiguration: with all faults.
        KafkaNotReachable: nobody said where Kafka is.
    """
    folder = StateFolder(path=Path(given["state"] or this_machine().state).absolute())
    host = read_host_file(folder)
    if host is not None and given["config"] is None:
        configuration = _with_flags(host.configuration, given, environment)
    else:
        configuration = _configured(given, environment)
    return WebSettings(
        folder=folder,
        configuration=replace(configuration, kafka=configuration.kafka or _embedded(folder)),
        listen=configuration.web_listen,
        database=configuration.database,
    )


def _with_flags(
    configuration: HostConfiguration, given: Mapping[str, Any], environment: Mapping[str, str]
) -> HostConfiguration:
    database = given["database"] or environment.get(DATABASE_VARIABLE)
    told = {
        "web_listen": _parsed("web.listen", given["listen"], "--listen"),
        "database": _parsed("web.database", database, "--database"),
        "kafka": given["kafka"],
    }
    return replace(configuration, **{name: value for name, value in told.items() if value})


def _parsed(setting: str, value: str | None, flag: str) -> Any:
    if not value:
        return None
    try:
        return FIELDS[setting].parse(value)
    except Unfit as unfit:
        raise InvalidConfiguration(str(unfit), field=flag) from None


def _configured(given: Mapping[str, Any], environment: Mapping[str, str]) -> HostConfiguration:
    return configure(
        machine=this_machine(),
        flags={field: given[flag] for flag, field in FLAGS.items()},
        environment=environment,
        file=read_settings(given["config"]),
    )


def _embedded(folder: StateFolder) -> str:
    """Return where this host's own Kafka listens."""
    ports = kept_ports(BrokerFolder(path=folder.kafka.resolve()))
    if ports is None:
        raise KafkaNotReachable(
            "no Kafka is named, and none was started here: name one with --kafka, "
            "or begin with 'kirby start'"
        )
    return ports.bootstrap


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m kirby.web", description=__doc__)
    parser.add_argument("--state", metavar="FOLDER", help="the state folder")
    parser.add_argument("--listen", metavar="HOST:PORT", help="where to answer")
    parser.add_argument("--kafka", metavar="HOST:PORT,…", help="default: this host's own")
    parser.add_argument("--database", metavar="URL", help="default: SQLite in the state folder")
    parser.add_argument("--config", metavar="FILE", help="settings in TOML")
    return parser


if __name__ == "__main__":
    sys.exit(main())

"""The files of `deploy/`: settings that are taken, units that say what the design asks of them."""

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from kirby.actors import system
from kirby.core.configuration import HostConfiguration, Machine, configure
from kirby.core.configuration_fields import FIELDS
from kirby.core.errors import ExitCode
from kirby.host import shim_process
from kirby.host.state import StateFolder
from kirby.kafka import __main__ as kafka_main
from kirby.kafka.broker_files import BrokerFolder, kept_ports
from kirby.web import __main__ as web_main
from tests.builders.pages import ROOT, page

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
STATE = StateFolder(path=Path("/var/lib/kirby"))
MACHINE = Machine(hostname="alpha", cores=2, memory_bytes=8_000_000_000, state="/elsewhere")
ANALYZE = shutil.which("systemd-analyze")

Unit = Mapping[str, Mapping[str, list[str]]]


def read(name: str) -> Unit:
    """Read a unit; a key may stand several times."""
    found: dict[str, dict[str, list[str]]] = {}
    keys: dict[str, list[str]] = {}
    for line in (DEPLOY / "systemd" / name).read_text().splitlines():
        if line.startswith("["):
            keys = found.setdefault(line.strip("[]"), {})
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            keys.setdefault(key, []).append(value)
    return found


def service(name: str, key: str) -> str:
    return " ".join(read(name)["Service"].get(key, []))


def settings(text: str) -> HostConfiguration:
    return configure(machine=MACHINE, file=tomllib.loads(text))


def names_in(table: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from names_in(value, f"{prefix}{key}.")
        else:
            yield prefix + key


def test_the_settings_as_they_are_shipped_make_a_host_beside_its_units():
    host = settings(page("deploy/kirby.toml"))

    assert host.state == str(STATE.path)
    assert host.web_urls == (f"http://{host.web_listen}",)
    assert host.replication == 1


def test_the_ports_that_kafka_keeps_are_those_that_the_settings_name(tmp_path):
    shutil.copy(DEPLOY / "kafka-ports.json", tmp_path / "ports.json")

    ports = kept_ports(BrokerFolder(path=tmp_path))

    assert ports is not None
    assert ports.bootstrap == settings(page("deploy/kirby.toml")).kafka
    assert len(set(json.loads(page("deploy/kafka-ports.json")).values())) == 2


def test_every_setting_stands_in_the_example_and_is_taken_when_it_is_uncommented():
    everything = re.sub(r"^#(?=[a-z_]+ = |\[)", "", page("deploy/kirby.toml"), flags=re.M)
    given = tomllib.loads(everything)

    names = set(names_in(given))

    assert settings(everything).name == "alpha"
    assert names == set(FIELDS)


def test_the_units_are_those_of_one_host():
    assert [unit.name for unit in UNITS] == [
        "kirby-kafka.service",
        "kirby-shim.service",
        "kirby-web.service",
        "kirby.service",
    ]


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.name)
def test_every_unit_has_its_own_user_state_and_restart(unit):
    assert service(unit.name, "User") == "kirby"
    assert service(unit.name, "StateDirectory") == "kirby"
    assert service(unit.name, "StateDirectoryMode") == "0700"
    assert service(unit.name, "Restart") == "on-failure"
    assert str(STATE.path) in service(unit.name, "ExecStart")


@pytest.mark.parametrize("name", ["kirby.service", "kirby-shim.service"])
def test_ending_a_unit_that_scripts_may_live_in_kills_no_script(name):
    assert service(name, "KillMode") == "process"
    assert service(name, "OOMPolicy") == "continue"


def test_no_unit_is_bound_to_another_so_a_restart_of_one_restarts_no_other():
    for unit in UNITS:
        bonds = {"Requires", "BindsTo", "PartOf", "Requisite", "Upholds"} & set(
            read(unit.name)["Unit"]
        )
        assert not bonds, unit.name


def test_the_shim_is_started_as_the_start_process_starts_it():
    _, *flags = shim_process.command(STATE)

    command = service("kirby-shim.service", "ExecStart")

    assert command.startswith("/bin/sh -c 'exec /opt/kirby/bin/python ")
    assert flags[:2] == ["-I", "-S"]
    assert "python -I -S /opt/kirby/lib/python3.*/site-packages/kirby/shim/main.py " in command
    assert flags[2].endswith("/kirby/shim/main.py")
    assert command.rstrip("'").endswith(" ".join(flags[3:]))
    assert service("kirby-shim.service", "Delegate") == "yes"


def test_the_flags_that_the_units_give_are_those_that_the_programs_take():
    commands = {
        words[2]: words[3:]
        for unit, key in [
            ("kirby.service", "ExecStart"),
            ("kirby-web.service", "ExecStart"),
            ("kirby-kafka.service", "ExecStart"),
        ]
        for words in [service(unit, key).split()]
    }

    host = system._parser().parse_args(commands["kirby.actors.system"])
    web = web_main._parser().parse_args(commands["kirby.web"])
    kafka = kafka_main._parser().parse_args(commands["kirby.kafka"])

    assert host.config == web.config == "/etc/kirby/kirby.toml"
    assert host.state == web.state == str(STATE.path)
    assert kafka.folder == STATE.kafka
    assert service("kirby-kafka.service", "PIDFile") == str(BrokerFolder(path=STATE.kafka).pid)
    assert str(BrokerFolder(path=STATE.kafka).ports) in service(
        "kirby-kafka.service", "ExecStartPre"
    )


def test_what_only_a_person_can_mend_is_not_tried_again():
    hopeless = {int(code) for code in service("kirby.service", "RestartPreventExitStatus").split()}

    assert hopeless == {
        ExitCode.USAGE,
        ExitCode.STATE_IN_USE,
        ExitCode.PORT_IN_USE,
        ExitCode.INSECURE,
        ExitCode.DATABASE_NEWER,
        ExitCode.TOPICS_DIFFER,
        ExitCode.JOIN_FROM_LOOPBACK,
        ExitCode.KEY_MISSING,
        ExitCode.KEY_DIFFERS,
        ExitCode.NAME_IN_USE,
        ExitCode.OTHER_KAFKA,
        ExitCode.EMBEDDED_KAFKA_ALONE,
        ExitCode.VERSION_DIFFERS,
        ExitCode.KEY_OUTDATED,
        ExitCode.KAFKA_PERMISSIONS,
    }


@pytest.mark.parametrize("code", [ExitCode.KAFKA_UNREACHABLE, ExitCode.CONVENTION_UNREACHABLE])
def test_what_may_yet_come_is_tried_again(code):
    assert str(code.value) not in service("kirby.service", "RestartPreventExitStatus").split()


@pytest.mark.parametrize("name", ["kirby.service", "kirby-web.service"])
def test_passwords_may_stand_in_a_file_that_only_systemd_reads(name):
    assert service(name, "EnvironmentFile") == "-/etc/kirby/secrets.env"


def test_the_page_about_systemd_tells_of_every_unit():
    text = page("docs/how-to/run-as-a-service.md")

    assert all(f"`{unit.name}`" in text for unit in UNITS)


def verified(folder: Path, change: str = "") -> list[str]:
    """Return what systemd says against the units, with a line added to one of them."""
    for unit in UNITS:  # its programs and its user are not there, and systemd looks for both
        text = re.sub(r"^(Exec\w+)=.*$", r"\1=/bin/true", unit.read_text(), flags=re.M)
        text = re.sub(r"^(User|Group)=.*$", r"\1=root", text, flags=re.M)
        (folder / unit.name).write_text(text.replace("[Service]\n", f"[Service]\n{change}\n"))
    said = subprocess.run(
        [str(ANALYZE), "verify", "--man=no", *(str(folder / unit.name) for unit in UNITS)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return [line for line in said.stderr.splitlines() if "kirby" in line]


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    assert verified(tmp_path) == []


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed here")
def test_systemd_would_say_what_is_wrong(tmp_path):
    assert verified(tmp_path, "KilMode=process")

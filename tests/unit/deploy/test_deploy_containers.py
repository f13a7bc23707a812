"""The files of `deploy/containers/`: valid for the tools that read them, and true to Kirby."""

import ipaddress
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from kirby.core.configuration import Machine, configure
from tests.builders.pages import ROOT, page

FOLDER = ROOT / "deploy" / "containers"
COMPOSE = YAML(typ="safe").load(FOLDER / "compose.yaml")
SERVICES = COMPOSE["services"]
HOSTS = [name for name, service in SERVICES.items() if service.get("command") == ["host"]]
WEB = [name for name, service in SERVICES.items() if service.get("command") == ["web"]]
BROKERS = [name for name, service in SERVICES.items() if "apache/kafka" in service["image"]]
SETTINGS = tomllib.loads((FOLDER / "kirby.toml").read_text())
MACHINE = Machine(hostname="box", cores=2, memory_bytes=8_000_000_000, state="/var/lib/kirby")


def told(name: str) -> dict[str, str]:
    """Return the environment of a service, as compose would fill it in."""
    given = SERVICES[name].get("environment", {})
    return {key: re.sub(r"\$\{\w+[^}]*\}", "filled-in", value) for key, value in given.items()}


def host(name):
    return configure(machine=MACHINE, environment=told(name), file=SETTINGS)


def test_the_compose_file_is_one_by_the_specifications_own_schema():
    checked = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec",
         str(FOLDER / "compose.yaml")],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip

    assert checked.returncode == 0, checked.stdout


def test_the_linter_of_container_files_finds_nothing():
    linter = Path(sys.executable).with_name("hadolint")

    said = subprocess.run(
        [linter, str(FOLDER / "Containerfile")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is not installed here")
def test_the_proxy_takes_its_settings():
    said = subprocess.run(
        ["haproxy", "-c", "-f", str(FOLDER / "haproxy.cfg")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert said.returncode == 0, said.stderr


def test_the_proxy_asks_every_web_service_where_it_listens():
    servers = re.findall(r"^    server (\w+) (\S+)", (FOLDER / "haproxy.cfg").read_text(), re.M)

    assert [name for name, _ in servers] == WEB
    assert all(address == f"{name}:8642" for name, address in servers)
    assert {told(name)["KIRBY_WEB_LISTEN"] for name in WEB} == {"0.0.0.0:8642"}


def test_there_are_three_hosts_three_brokers_and_two_web_services():
    assert HOSTS == ["alpha", "beta", "gamma"]
    assert BROKERS == ["kafka1", "kafka2", "kafka3"]
    assert WEB == ["web1", "web2"]


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_is_told_its_name_and_the_address_that_the_network_gives_it(name):
    configuration = host(name)
    [network] = COMPOSE["networks"]["cluster"]["ipam"]["config"]

    assert configuration.name == name
    assert configuration.address == SERVICES[name]["networks"]["cluster"]["ipv4_address"]
    assert ipaddress.ip_address(configuration.address) in ipaddress.ip_network(network["subnet"])


def test_every_host_but_the_first_meets_the_others_through_the_first():
    leaders = [host(name).convention_leader for name in HOSTS]

    assert leaders[0] is None
    assert {str(each) for each in leaders[1:]} == {f"{host('alpha').address}:{host('alpha').port}"}


@pytest.mark.parametrize("name", HOSTS)
def test_a_host_and_its_shim_share_the_state_folder_and_see_each_others_processes(name):
    shim = SERVICES[f"{name}-shim"]

    assert shim["command"] == ["shim"]
    assert shim["volumes"] == SERVICES[name]["volumes"] == [f"{name}:{MACHINE.state}"]
    assert SERVICES[name]["pid"] == f"service:{name}-shim"
    assert shim["init"] is True


def test_hosts_use_the_brokers_that_are_there_with_a_copy_on_each():
    configuration = host("alpha")

    assert configuration.kafka == ",".join(f"{name}:9092" for name in BROKERS)
    assert configuration.replication == len(BROKERS)
    assert configuration.web_urls == ("http://proxy:8642",)


@pytest.mark.parametrize("name", WEB)
def test_web_services_share_the_database(name):
    configuration = host(name)

    assert configuration.database == "postgresql://kirby:filled-in@postgres:5432/kirby"


@pytest.mark.parametrize("number", [1, 2, 3])
def test_brokers_name_themselves_as_the_others_know_them(number):
    broker = told(f"kafka{number}")

    assert broker["KAFKA_NODE_ID"] == str(number)
    assert broker["KAFKA_ADVERTISED_LISTENERS"] == f"PLAINTEXT://kafka{number}:9092"
    assert f"{number}@kafka{number}:9093" in broker["KAFKA_CONTROLLER_QUORUM_VOTERS"]
    assert broker["KAFKA_MIN_INSYNC_REPLICAS"] == "2"
    assert broker["KAFKA_AUTO_CREATE_TOPICS_ENABLE"] == "false"


def test_every_volume_that_is_used_is_declared_and_none_else():
    used = {
        volume.partition(":")[0] for each in SERVICES.values() for volume in each.get("volumes", [])
    }

    assert used == set(COMPOSE["volumes"])


def test_only_the_proxy_can_be_reached_from_outside_and_only_from_this_machine():
    ports = {name: each["ports"] for name, each in SERVICES.items() if "ports" in each}

    assert ports == {"proxy": ["127.0.0.1:8642:8642"]}


def begun(tmp_path, *words, key="ab" * 32):
    """Run `begin` with programs that only say how they were called; return what was said."""
    given, state, programs = (tmp_path / each for each in ("given", "state", "bin"))
    for folder in (state, programs):
        folder.mkdir(exist_ok=True)
    if key is not None:
        given.write_text(key)
    python = programs / "python"
    python.write_text('#!/bin/sh\n[ "$1" = -c ] && echo /there/main.py || echo "$@"\n')
    python.chmod(0o755)
    text = (FOLDER / "begin").read_text().replace("/run/secrets/kirby_key", str(given))
    return subprocess.run(
        ["/bin/sh", "-c", text, "begin", *words],
        env={"PATH": f"{programs}:/usr/bin:/bin", "KIRBY_STATE": str(state)},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


@pytest.mark.parametrize(
    ("part", "called"),
    [
        ("host", "-m kirby.actors.system start --state {} --config /etc/kirby/kirby.toml"),
        ("web", "-m kirby.web --state {} --config /etc/kirby/kirby.toml"),
        ("shim", "-I -S /there/main.py --state {}"),
    ],
)
def test_a_container_becomes_the_part_that_it_is_told(tmp_path, part, called):
    said = begun(tmp_path, part)

    assert said.stdout.strip() == called.format(tmp_path / "state")


def test_a_container_puts_the_key_into_place_for_nobody_else_to_read(tmp_path):
    begun(tmp_path, "web")

    key = tmp_path / "state" / "key"
    assert key.read_text() == "ab" * 32
    assert key.stat().st_mode & 0o777 == 0o600
    assert [each.name for each in (tmp_path / "state").iterdir()] == ["key"]


def test_a_container_leaves_a_key_that_is_there(tmp_path):
    begun(tmp_path, "web")

    begun(tmp_path, "web", key="cd" * 32)

    assert (tmp_path / "state" / "key").read_text() == "ab" * 32


def test_a_container_without_a_key_says_what_to_give_it(tmp_path):
    said = begun(tmp_path, "host", key=None)

    assert said.returncode == 13
    assert said.stderr == "no key: give the cluster's key as the secret kirby_key\n"


def test_the_page_about_containers_tells_of_every_file():
    text = page("docs/how-to/run-in-containers.md")

    assert all(f"`{each.name}`" in text for each in FOLDER.iterdir())

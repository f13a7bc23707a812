"""Hosts as network namespaces with addresses of their own, joined by a bridge (needs root)."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from kirby.kafka import broker_files, embedded
from tests.builders.cluster import NAMES, Cluster, give_key
from tests.stories.host import Host
from tests.stories.witness import Witness

NET = "10.77.41"
OUTSIDE = f"{NET}.254"  # of this machine itself: Kafka listens there
TAG = f"kb{os.getpid() % 100_000}"  # names of interfaces have room for 15 characters


def can_make_networks() -> bool:
    """Whether this process may make namespaces."""
    return os.geteuid() == 0 and shutil.which("ip") is not None


class Network:
    """The bridge, and a namespace for each host."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self.addresses = {name: f"{NET}.{number}" for number, name in enumerate(names, 1)}
        _ip("link", "add", TAG, "type", "bridge")
        _ip("addr", "add", f"{OUTSIDE}/24", "dev", TAG)
        _ip("link", "set", TAG, "up")
        for name in names:
            self._add(name)

    def inside(self, name: str) -> tuple[str, ...]:
        """Return what stands before a command so that it runs on a host."""
        return ("ip", "netns", "exec", f"{TAG}-{name}")

    def cut_off(self, name: str) -> None:
        """Let nothing through to a host nor from it."""
        _ip("link", "set", self._plug(name), "down")

    def heal(self, name: str) -> None:
        """Let everything through again."""
        _ip("link", "set", self._plug(name), "up")

    def clean_up(self) -> None:
        """Take all of it away."""
        for name in self.addresses:
            subprocess.run(["ip", "netns", "del", f"{TAG}-{name}"], check=False)
        subprocess.run(["ip", "link", "del", TAG], check=False)

    def _add(self, name: str) -> None:
        space, plug = f"{TAG}-{name}", self._plug(name)
        _ip("netns", "add", space)
        _ip("link", "add", plug, "type", "veth", "peer", "name", "eth0", "netns", space)
        _ip("link", "set", plug, "master", TAG, "up")
        _ip("-n", space, "addr", "add", f"{self.addresses[name]}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _ip("-n", space, "link", "set", device, "up")

    def _plug(self, name: str) -> str:
        return f"{TAG}{name[:5]}"


class NetworkedCluster(Cluster):
    """Three hosts with a namespace each, and one Kafka that all of them reach."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.network = Network(NAMES)
        self.witness = Witness(path=folder / "witness")
        for module in (broker_files, embedded):
            patch.setattr(module, "LOOPBACK", OUTSIDE)
        self.kafka = embedded.ensure(folder / "kafka")
        self.settings = folder / "kirby.toml"
        self.settings.write_text("[kafka]\nreplication = 1\n" + f'bootstrap = "{self.kafka}"\n')
        self.first = self._host(NAMES[0])
        place = ("--convention-leader", self.meeting_place)
        self.hosts = {self.first.name: self.first} | {
            name: self._host(name, *place) for name in NAMES[1:]
        }

    def _host(self, name: str, *flags: str) -> Host:
        given: dict[str, Any] = {"inside": self.network.inside(name), "witness": self.witness}
        host = Host(
            self.folder / name, name=name, flags=("--config", str(self.settings), *flags), **given
        )
        host.address = self.network.addresses[name]
        return host

    def start(self) -> "NetworkedCluster":
        """Start all, and wait until they have met."""
        self.first.start()
        for host in list(self.hosts.values())[1:]:
            give_key(self.first.state, host.state)
            host.begin()
        self.have_met()
        return self

    def clean_up(self) -> None:
        """Leave neither processes nor interfaces behind."""
        super().clean_up()
        embedded.stop(self.folder / "kafka")
        self.network.clean_up()


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)

"""Strangers at every port of the hosts: forged, replayed, oversized, half frames, and the silent.

KIRBY_STORY_LONG=1: every port, and a thousand silent connections to each; else some ports of each
host, and a hundred to each.
"""

import contextlib
import os
import pickle
import random
import resource
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kirby.actors.frames import MESSAGE_LIMIT, Signer
from kirby.actors.meeting_place import admin_at
from kirby.host.keys import load_keys
from kirby.host.state import StateFolder
from tests.stories.cluster import checkers
from tests.stories.cluster.cluster import ACTOR_PORT, Cluster
from tests.stories.jobs import errand
from tests.stories.patience import eventually
from tests.stories.schedules import due_instants

LONG = os.environ.get("KIRBY_STORY_LONG") == "1"
SILENT = 1000 if LONG else 100
PORTS = 1000 if LONG else 8  # of each host, beside that of its admin
CLOCK = "*/2 * * * * *"
ANSWER_WITHIN_S = 2.0

Port = tuple[str, int]


@dataclass(frozen=True, kw_only=True)
class Trap:
    """A message that leaves a line in a file wherever it is unpickled."""

    path: Path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, (f"echo sprung >> {self.path}",)

    def sprung(self) -> int:
        """Return how often."""
        return len(self.path.read_text().splitlines()) if self.path.exists() else 0


@pytest.fixture(scope="module")
def working(shared_cluster: Cluster) -> Cluster:
    shared_cluster.applies({"beat": errand("succeed", CLOCK)})
    eventually(lambda: shared_cluster.witness.began("beat/prod"), what="it fires")
    return shared_cluster


@pytest.fixture
def bothered(working: Cluster, cluster: Cluster) -> Iterator[Cluster]:
    """Give a cluster at work; insist that it worked on as if nothing had been."""
    leader, since = cluster.leader(), datetime.now(UTC)
    yield cluster
    due = due_instants([(CLOCK, "UTC")], since, datetime.now(UTC) - timedelta(seconds=2))
    eventually(
        lambda: cluster.witness.dues("beat/prod", among=due), what="each fired", until=due.__eq__
    )
    assert cluster.leader() == leader
    assert checkers.doubled(cluster.log, cluster.witness) == {}


@pytest.fixture
def trap(cluster: Cluster) -> Trap:
    trap = Trap(path=cluster.folder / "sprung")
    trap.path.unlink(missing_ok=True)
    return trap


def ports_of_hosts(cluster: Cluster) -> list[Port]:
    found = []
    for machine in cluster.machines():
        actors = [port for port in machine.ports() if port != ACTOR_PORT]
        chosen = random.sample(actors, min(PORTS, len(actors)))
        found += [(machine.address, port) for port in (ACTOR_PORT, *chosen)]
    return found


def say(port: Port, data: bytes, *, hang_up: bool = False) -> None:
    """Send something, and wait until it was answered or the door was shut."""
    with contextlib.suppress(OSError), socket.create_connection(port, ANSWER_WITHIN_S) as link:
        link.settimeout(ANSWER_WITHIN_S)
        link.sendall(data)
        if hang_up:
            link.shutdown(socket.SHUT_WR)
        link.recv(64)


def payload(port: Port, message: object) -> bytes:
    return pickle.dumps((admin_at(*port), message))


def test_each_host_listens_on_its_own_address_only(cluster: Cluster) -> None:
    for machine in [*cluster.machines(), cluster.web.machine]:
        assert machine.listens_on() == {machine.address}


def test_a_frame_of_a_stranger_is_never_opened(bothered: Cluster, trap: Trap) -> None:
    stranger = Signer(lambda: [b"x" * 32])

    for port in ports_of_hosts(bothered):
        message = payload(port, trap)
        say(port, message)
        say(port, stranger.seal(message, f"{port[0]}:{port[1]}"))

    assert trap.sprung() == 0


def test_a_frame_for_another_receiver_or_of_another_hour_is_never_opened(
    bothered: Cluster, trap: Trap
) -> None:
    key = load_keys(StateFolder(path=bothered.hosts["alpha"].state)).frame_keys
    late = Signer(key, wall=lambda: datetime.now(UTC).timestamp() - 3600)
    ours = Signer(key)

    for port in ports_of_hosts(bothered):
        message = payload(port, trap)
        say(port, ours.seal(message, "10.0.0.1:1"))
        say(port, late.seal(message, f"{port[0]}:{port[1]}"))

    assert trap.sprung() == 0


def test_a_frame_of_the_clusters_own_is_opened_once_and_its_replay_is_not(
    bothered: Cluster, trap: Trap
) -> None:
    key = load_keys(StateFolder(path=bothered.hosts["alpha"].state)).frame_keys
    port = (bothered.machine("alpha").address, ACTOR_PORT)
    frame = Signer(key).seal(payload(port, trap), f"{port[0]}:{port[1]}")

    say(port, frame)
    eventually(trap.sprung, what="the frame was opened")  # so the trap works
    for _ in range(5):
        say(port, frame)

    assert trap.sprung() == 1


def test_oversized_and_half_frames_and_noise_are_dropped(bothered: Cluster, trap: Trap) -> None:
    key = load_keys(StateFolder(path=bothered.hosts["alpha"].state)).frame_keys
    whole = Signer(key).seal(b"x" * 100, "10.0.0.1:1")

    for port in ports_of_hosts(bothered):
        say(port, b"KF1\x01" + (MESSAGE_LIMIT * 2).to_bytes(4, "little") + b"x" * 4096)
        say(port, whole[: len(whole) // 2], hang_up=True)
        say(port, os.urandom(4096))

    assert trap.sprung() == 0


def test_silent_connections_shut_nobody_out(bothered: Cluster) -> None:
    ports = ports_of_hosts(bothered)
    allowed = (SILENT * len(ports) + 500, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(allowed), allowed[1]))

    with contextlib.ExitStack() as silent:
        for port in ports:
            for _ in range(SILENT):
                with contextlib.suppress(OSError):
                    silent.enter_context(socket.create_connection(port, ANSWER_WITHIN_S))
        bothered.is_well()
        run = bothered.kirby.json("run", "beat")["run"]
        assert bothered.ledger.ended(run)["end"] == "succeeded"

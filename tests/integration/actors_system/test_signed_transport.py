"""A real actor system's ports: who may speak to them, and where they listen."""

import gc
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psutil
import pytest
from thespian.actors import ActorSystem

from kirby.actors import parents, transport
from kirby.actors.frames import TAKEN, FrameBuffer, Signer, always
from tests.builders.actors import Echo
from tests.stories.patience import eventually

KEY = b"k" * 32
ADDRESS = "127.0.0.7"  # no other test listens there
pytestmark = pytest.mark.integration


def a_free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def listeners() -> set[tuple[str, int]]:
    """Return the addresses and ports on which this process and its descendants listen."""
    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    return {
        (connection.laddr.ip, connection.laddr.port)
        for process in family
        for connection in process.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN
    }


@pytest.fixture(scope="module")
def heard_before() -> set[tuple[str, int]]:
    """Give what listens for the rest of the session: its broker, its package index."""
    return listeners()


@pytest.fixture(scope="module")
def system(heard_before: set[tuple[str, int]]) -> Iterator[Any]:
    transport.install(keys=always(KEY), address=ADDRESS)
    parents.adopt_descendants()
    # Actors are forks of this process. A Kafka client of an earlier test that is collected in one
    # of them waits for threads that are not there; what is frozen is collected by no fork.
    gc.collect()
    gc.freeze()
    system = ActorSystem("multiprocTCPBase", {"Admin Port": a_free_port()})
    yield system
    system.shutdown()
    gc.unfreeze()


@pytest.fixture(scope="module")
def echo(system: Any) -> Any:
    return system.createActor(Echo)


def port_of(actor: Any) -> int:
    return int(actor.addressDetails.sockname[1])


def connect(actor: Any) -> socket.socket:
    link = socket.create_connection((ADDRESS, port_of(actor)), timeout=30)
    link.settimeout(30)
    return link


def answer_to(actor: Any, data: bytes) -> bytes:
    with closing(connect(actor)) as link:
        link.sendall(data)
        try:
            return link.recv(64)
        except ConnectionResetError:
            return b""


def trickle(actor: Any, data: bytes) -> None:
    with closing(connect(actor)) as link:
        for place in range(len(data)):
            link.sendall(data[place : place + 1])
            time.sleep(0.3)


def payload_for(system: Any, message: object) -> bytes:
    return pickle.dumps((system.systemAddress, message))


def is_well(system: Any, actor: Any) -> bool:
    return bool(system.ask(actor, "still there", 30) == "still there")


def test_actors_speak_to_each_other_in_signed_frames(system: Any, echo: Any) -> None:
    child = system.ask(echo, "child", 30)

    assert system.ask(child, "rise", 30) == "rise"


def test_only_the_given_address_listens(
    heard_before: set[tuple[str, int]], system: Any, echo: Any
) -> None:
    system.ask(system.ask(echo, "child", 30), "rise", 30)

    family = [psutil.Process(), *psutil.Process().children(recursive=True)]
    listening = {ip for ip, _ in listeners() - heard_before}

    assert len(family) >= 5  # this one, admin, logger, Echo and its child
    assert listening == {ADDRESS}


def test_a_signed_frame_is_taken_once_and_its_replay_is_not(system: Any, echo: Any) -> None:
    receiver = f"{ADDRESS}:{port_of(echo)}"
    frame = Signer(always(KEY)).seal(payload_for(system, "noted"), receiver)

    first, again = answer_to(echo, frame), answer_to(echo, frame)

    assert (first, again) == (TAKEN, b"")
    assert is_well(system, echo)


@pytest.mark.parametrize("whom", ["actor", "admin"])
def test_a_forged_frame_is_neither_unpickled_nor_answered(
    system: Any, echo: Any, whom: str, tmp_path: Any
) -> None:
    witness = tmp_path / "unpickled"
    target = echo if whom == "actor" else system._systemBase.adminAddr
    bomb = b"cos\nsystem\n(S'touch %s'\ntR." % str(witness).encode()
    forged = Signer(always(b"x" * 32)).seal(bomb, f"{ADDRESS}:{port_of(target)}")
    bare = b"%d>%b" % (len(bomb), bomb)

    answers = [answer_to(target, forged), answer_to(target, bare)]

    assert answers == [b"", b""]
    assert is_well(system, echo)
    assert not witness.exists()


def test_a_frame_that_says_it_is_huge_is_cut_at_its_header(system: Any, echo: Any) -> None:
    answer = answer_to(echo, b"KF1\x01\xff\xff\xff\xff")

    assert answer == b""
    assert is_well(system, echo)


def test_a_frame_that_trickles_is_dropped_after_five_seconds(system: Any, echo: Any) -> None:
    frame = Signer(always(KEY)).seal(payload_for(system, "slow"), f"{ADDRESS}:{port_of(echo)}")

    with pytest.raises(ConnectionError):
        trickle(echo, frame[:150])

    assert is_well(system, echo)


def test_three_hundred_silent_connections_do_not_shut_an_actor_off(system: Any, echo: Any) -> None:
    links = [connect(echo) for _ in range(300)]

    well = is_well(system, echo)
    actor = psutil.Process(system.ask(echo, "pid", 30))
    eventually(
        lambda: sum(c.status == psutil.CONN_ESTABLISHED for c in actor.net_connections("tcp")),
        until=lambda connections: connections <= 220,
        what="it holds the 200 that may come in at a time, and a few of its own",
    )
    for link in links:
        link.close()

    assert well


def test_when_an_actor_is_killed_its_children_go_with_it(system: Any, echo: Any) -> None:
    parent = system.createActor(Echo)
    child_pid = system.ask(system.ask(parent, "child", 30), "pid", 30)
    parent_pid = system.ask(parent, "pid", 30)

    os.kill(parent_pid, 9)

    gone, alive = psutil.wait_procs([psutil.Process(child_pid)], timeout=30)
    assert (len(gone), alive) == (1, [])


A_START_PROCESS = """
import sys, time
from thespian.actors import ActorSystem
from kirby.actors import parents, transport
from tests.builders.actors import Echo
transport.install(keys=lambda: (b"k" * 32,), address=sys.argv[1])
parents.adopt_descendants()
system = ActorSystem("multiprocTCPBase", {"Admin Port": int(sys.argv[2])})
print(system.ask(system.createActor(Echo), "pid", 30), flush=True)
time.sleep(60)
"""


def test_when_the_start_process_is_killed_the_whole_actor_system_goes_with_it() -> None:
    port = a_free_port()
    start = subprocess.Popen(
        [sys.executable, "-c", A_START_PROCESS, ADDRESS, str(port)],
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert start.stdout is not None
    start.stdout.readline()
    family = psutil.Process(start.pid).children(recursive=True)

    start.kill()
    start.wait()

    _, alive = psutil.wait_procs(family, timeout=30)
    assert len(family) >= 3  # admin, logger, Echo
    assert alive == []
    with closing(socket.socket()) as again:
        again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        again.bind((ADDRESS, port))


def test_the_start_process_itself_knows_its_addresses(system: Any) -> None:
    assert all(address.startswith(f"{ADDRESS}:") for address in FrameBuffer.own)

"""The client against a scripted peer: what it sends, and what it makes of each answer."""

import json
import socket
import struct
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from kirby.core.errors import ShimUnreachable
from kirby.core.names import AttemptId, ContextKey, Incarnation
from kirby.host.shim_client import Answered, ShimClient
from kirby.host.shim_messages import (
    Arm,
    Hello,
    List,
    NotDone,
    Refusal,
    ShimEvent,
    ShimPhase,
    Standing,
)

SHORT = timedelta(milliseconds=50)


class Peer:
    """Plays the shim: its answers are written before they are asked for."""

    def __init__(self, folder: Path) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.bind(str(folder / "socket"))
        self._listening.listen()
        self.client = ShimClient(folder, time_limit=SHORT)
        self._connection, _ = self._listening.accept()

    def says(self, **fields: Any) -> None:
        data = json.dumps(fields).encode()
        self._connection.sendall(struct.pack(">I", len(data)) + data)

    def heard(self) -> dict[str, Any]:
        length = struct.unpack(">I", self._connection.recv(4, socket.MSG_WAITALL))[0]
        heard: dict[str, Any] = json.loads(self._connection.recv(length, socket.MSG_WAITALL))
        return heard

    def leaves(self) -> None:
        self._connection.close()
        self._listening.close()


@pytest.fixture
def peer(tmp_path: Path) -> Iterator[Peer]:
    peer = Peer(tmp_path)
    yield peer
    peer.client.close()
    peer.leaves()


def step(name: str, attempt: int = 1) -> dict[str, Any]:
    return {"event": name, "step": name, "run": "pump/prod@1", "attempt": attempt, "at_ns": 5}


def test_an_order_is_sent_with_all_that_the_shim_needs(peer: Peer) -> None:
    peer.says(id=1, ok=True, run="pump/prod@1", attempt=1, phase="parked", folder="/runs/x")

    taken = peer.client.arm(
        Arm(
            incarnation=Incarnation(7),
            run="pump/prod@1",
            attempt=1,
            context=ContextKey("pump/prod"),
            argv=("/env/bin/python", "-m", "pump"),
            env={"SHOP": "x"},
        )
    )

    heard = peer.heard()
    assert (heard["do"], heard["id"], heard["argv"][1:]) == ("arm", 1, ["-m", "pump"])
    assert heard["env"] == {"SHOP": "x"}
    assert heard["meta"]["package"] == ""
    assert (taken.key, taken.phase) == (AttemptId(run="pump/prod@1", attempt=1), ShimPhase.PARKED)


def test_a_refusal_is_an_error_with_its_reason_and_what_is_held(peer: Peer) -> None:
    held = {"run": "mill/prod#alpha", "attempt": 3, "phase": "running", "folder": "/runs/y"}
    peer.says(id=1, ok=False, refused="alive", sentence="it lives already", held=held)

    with pytest.raises(NotDone, match="it lives already") as refused:
        peer.client.hello(Incarnation(7))

    assert refused.value.refusal is Refusal.ALIVE
    assert refused.value.held is not None
    assert refused.value.held.key == AttemptId(run="mill/prod#alpha", attempt=3)


def test_a_refusal_of_a_later_shim_keeps_its_sentence(peer: Peer) -> None:
    peer.says(id=1, ok=False, refused="eclipse", sentence="the sun is gone")

    with pytest.raises(NotDone, match="the sun is gone") as refused:
        peer.client.hello(Incarnation(7))

    assert refused.value.refusal is Refusal.INVALID


def test_steps_that_come_while_an_answer_is_awaited_are_kept_in_order(peer: Peer) -> None:
    peer.says(**step("armed"))
    peer.says(**step("parked"))
    peer.says(id=1, ok=True, phase="barred")

    phase = peer.client.bar(AttemptId(run="pump/prod@1", attempt=1), Incarnation(7))
    pumped = peer.client.pump()

    assert phase is ShimPhase.BARRED
    assert [one.step for one in pumped if isinstance(one, ShimEvent)] == ["armed", "parked"]


def test_posted_questions_are_answered_by_pumping(peer: Peer) -> None:
    first = peer.client.post(Hello(incarnation=Incarnation(7)))
    second = peer.client.post(List())
    peer.says(id=1, ok=False, refused="superseded", sentence="a newer one is there", newest=9)
    peer.says(id=2, ok=True, attempts=[])

    refused, listed = peer.client.pump()

    assert isinstance(refused, Answered)
    assert isinstance(refused.outcome, NotDone)
    assert (refused.id, refused.outcome.newest) == (first, 9)
    assert isinstance(listed, Answered)
    assert listed.id == second


def test_nothing_to_pump_is_no_fault(peer: Peer) -> None:
    assert peer.client.pump() == []


def test_a_frame_that_comes_in_pieces_is_put_together(peer: Peer) -> None:
    data = json.dumps(step("armed")).encode()
    frame = struct.pack(">I", len(data)) + data
    peer._connection.sendall(frame[:7])

    early = peer.client.pump()
    peer._connection.sendall(frame[7:])

    assert early == []
    assert [type(one) for one in peer.client.pump()] == [ShimEvent]


def test_a_shim_that_does_not_answer_in_time_is_unreachable_from_then_on(peer: Peer) -> None:
    with pytest.raises(ShimUnreachable, match=r"did not answer within 0\.05 s"):
        peer.client.holdings()
    with pytest.raises(ShimUnreachable):
        peer.client.holdings()


def test_what_the_shim_said_before_it_went_is_heard_first(peer: Peer) -> None:
    peer.says(**step("exited"))
    peer.leaves()

    heard = peer.client.pump()

    assert [type(one) for one in heard] == [ShimEvent]
    with pytest.raises(ShimUnreachable, match="has ended"):
        peer.client.pump()


def test_phases_beyond_recall_are_told_from_the_others() -> None:
    begun = {phase for phase in ShimPhase if phase.has_begun}

    assert begun == {
        ShimPhase.RELEASING,
        ShimPhase.RUNNING,
        ShimPhase.STOPPING,
        ShimPhase.ENDED,
    }
    assert Standing(id=1, phase=ShimPhase.BARRED).phase.value == "barred"

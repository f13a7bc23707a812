"""The host's end of the shim's socket: blocking questions, and steps that are pushed.

An actor gives `fileno()` to its watch, and calls `pump()` when it is readable. Questions may be
asked in both manners on one client: `arm(...)` and the like wait for their answer (what is pushed
meanwhile is kept for the next `pump`), `post(...)` does not, and its answer comes out of `pump`.
A client whose shim went away raises `ShimUnreachable` for ever after; connect anew.
"""

import select
import struct
import time
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import msgspec

from kirby.core.errors import ShimUnreachable
from kirby.core.names import AttemptId, Incarnation
from kirby.host import shim_messages as says
from kirby.host.shim_socket import connect_to

LENGTH = struct.Struct(">I")
CHUNK = 262_144
TIME_LIMIT = timedelta(seconds=5)  # the shim answers within milliseconds; a full disk slows syncs
_ANSWERS: dict[type[says.Request], type[says.Answer]] = {
    says.Hello: says.Greeting,
    says.Arm: says.Taken,
    says.Bar: says.Standing,
    says.Stop: says.Standing,
    says.List: says.Holdings,
}
_A = TypeVar("_A", bound=says.Answer)


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What became of a request that was posted."""

    id: int
    request: says.Request
    outcome: says.Answer | says.NotDone


Pumped = Answered | says.ShimEvent


class ShimClient:
    """One connection to the shim of a state folder."""

    def __init__(self, folder: Path, *, time_limit: timedelta = TIME_LIMIT) -> None:
        """Connect to the shim that listens in `folder` (the state folder's `shim`).

        Raises:
            ShimUnreachable: none listens.
        """
        self._time_limit = time_limit.total_seconds()
        self._socket = connect_to(folder / "socket", self._time_limit)
        self._last_id = 0
        self._bytes = bytearray()
        self._asked: dict[int, says.Request] = {}
        self._pumped: deque[Pumped] = deque()
        self._lost = ""

    # ---- questions ------------------------------------------------------------------------------

    def hello(self, incarnation: Incarnation, log: str = "") -> says.Greeting:
        """Begin as a Runner; older incarnations are refused from now on."""
        return self.ask(says.Hello(incarnation=incarnation, log=log), says.Greeting)

    def arm(self, order: says.Arm) -> says.Taken:
        """Have an attempt run; a repeat is answered with what is held.

        Raises:
            NotDone: the refusal says why, and nothing was taken.
        """
        return self.ask(order, says.Taken)

    def bar(
        self, attempt: AttemptId, incarnation: Incarnation, *, sentence: str = "withdrawn"
    ) -> says.ShimPhase:
        """Keep an attempt from beginning; return BARRED, or what it is beyond recall."""
        request = says.Bar(
            incarnation=incarnation, run=attempt.run, attempt=attempt.attempt, sentence=sentence
        )
        return self.ask(request, says.Standing).phase

    def stop(self, request: says.Stop) -> says.ShimPhase:
        """End what runs, bar what has not begun; return the phase."""
        return self.ask(request, says.Standing).phase

    def renew(self, incarnation: Incarnation, *, lease_ends_boot_ns: int) -> None:
        """Prolong the lease of this host, for exclusive scripts."""
        request = says.Renew(incarnation=incarnation, lease_ends_boot_ns=lease_ends_boot_ns)
        self.ask(request, says.Answer)

    def holdings(self) -> tuple[says.Listed, ...]:
        """Return every attempt that has a folder."""
        return self.ask(says.List(), says.Holdings).attempts

    def watch(self) -> None:
        """Have every step pushed from now on."""
        self.ask(says.Watch(), says.Answer)

    def shipped(self, attempt: AttemptId) -> None:
        """Have the folder of an attempt that ended removed."""
        self.ask(says.Shipped(run=attempt.run, attempt=attempt.attempt), says.Answer)

    def end(self, *, with_scripts: bool = False, grace_ms: int = 10_000) -> None:
        """End the shim, after its scripts if that is asked; waits for these.

        Raises:
            NotDone: BUSY, as scripts live.
        """
        request = says.End(with_scripts=with_scripts, grace_ms=grace_ms)
        self._await(self.post(request), says.Answer, self._time_limit + grace_ms / 1000)

    def ask(self, request: says.Request, kind: type[_A]) -> _A:
        """Ask, and wait for the answer.

        Raises:
            NotDone: the shim refused.
            ShimUnreachable: it did not answer in time, or went away.
        """
        return self._await(self.post(request), kind, self._time_limit)

    # ---- without waiting ------------------------------------------------------------------------

    def post(self, request: says.Request) -> int:
        """Ask without waiting; return the number that the answer will bear."""
        self._last_id += 1
        fields = msgspec.json.decode(msgspec.json.encode(request), type=dict[str, msgspec.Raw])
        data = msgspec.json.encode({"id": self._last_id, **fields})
        try:
            self._socket.sendall(LENGTH.pack(len(data)) + data)
        except OSError as fault:
            raise self._gone(f"the shim does not answer: {fault}") from fault
        self._asked[self._last_id] = request
        return self._last_id

    def fileno(self) -> int:
        """Return the descriptor that is readable when `pump` has something."""
        return self._socket.fileno()

    def pump(self) -> list[Pumped]:
        """Take what has arrived: answers of what was posted, and pushed steps, in order."""
        if not self._lost:
            self._receive(0.0)
        pumped = list(self._pumped)
        self._pumped.clear()
        if not pumped and self._lost:
            raise ShimUnreachable(self._lost)
        return pumped

    def close(self) -> None:
        """Hang up."""
        self._lost = self._lost or "the connection to the shim was closed"
        self._socket.close()

    # ---- inside ---------------------------------------------------------------------------------

    def _await(self, number: int, kind: type[_A], limit: float) -> _A:
        until = time.monotonic() + limit
        while True:
            for place, pumped in enumerate(self._pumped):
                if isinstance(pumped, Answered) and pumped.id == number:
                    del self._pumped[place]
                    return _outcome(pumped, kind)
            left = until - time.monotonic()
            if self._lost or left <= 0:
                raise self._gone(self._lost or f"the shim did not answer within {limit:g} s")
            self._receive(left)

    def _receive(self, wait: float) -> None:
        """Wait for bytes at most so long, and take all that are there."""
        try:
            while select.select([self._socket], [], [], wait)[0]:
                data = self._socket.recv(CHUNK)
                if not data:
                    self._lost = "the shim has ended"
                    return
                self._bytes += data
                self._take_frames()
                wait = 0.0
        except (OSError, ValueError) as fault:
            self._lost = f"the shim does not answer: {fault}"

    def _take_frames(self) -> None:
        while len(self._bytes) >= LENGTH.size:
            end = LENGTH.size + LENGTH.unpack_from(self._bytes)[0]
            if len(self._bytes) < end:
                return
            frame = bytes(self._bytes[LENGTH.size : end])
            del self._bytes[:end]
            self._take(frame)

    def _take(self, frame: bytes) -> None:
        reply = msgspec.json.decode(frame, type=says.Reply)
        if reply.event:
            self._pumped.append(msgspec.json.decode(frame, type=says.ShimEvent))
            return
        request = self._asked.pop(reply.id) if reply.id in self._asked else None
        if request is None or reply.id is None:
            return  # of a question whose answer nobody waits for any more
        outcome: says.Answer | says.NotDone
        if reply.ok:
            outcome = msgspec.json.decode(frame, type=_ANSWERS.get(type(request), says.Answer))
        else:
            outcome = says.not_done(reply)
        self._pumped.append(Answered(id=reply.id, request=request, outcome=outcome))

    def _gone(self, sentence: str) -> ShimUnreachable:
        self.close()
        self._lost = sentence
        return ShimUnreachable(sentence)


def _outcome(answered: Answered, kind: type[_A]) -> _A:
    if isinstance(answered.outcome, says.NotDone):
        raise answered.outcome
    assert isinstance(answered.outcome, kind)
    return answered.outcome

"""Signed questions to the actors of another host, from a process that has no actor system yet.

The answer comes to a port that is open for one conversation; so whoever is answered can be
answered. What is sent and taken are the frames of `actors.frames`.
"""

import contextlib
import pickle
import socket
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, TypeVar

from thespian.actors import ActorAddress
from thespian.system.transport.IPBase import TCPv4ActorAddress

from kirby.actors.frames import HEADER_BYTES, TAKEN, FrameRefused, Keys, Signer, payload_bytes

Answer = TypeVar("Answer")
ANSWER_AGAIN_S = 1.0  # a frame may be lost: then it is asked again


class NotUnderstood(ConnectionError):
    """Somebody listens there, and takes no frame of this key."""


class Correspondent:
    """One conversation; every question waits until an instant of the monotonic clock."""

    def __init__(self, keys: Keys, address: str) -> None:
        self._signer = Signer(keys)
        self._listener = socket.create_server((address, 0))
        self._own = "{}:{}".format(*self._listener.getsockname())
        host, port = self._listener.getsockname()
        self.address = ActorAddress(TCPv4ActorAddress(host, port, external=True))

    def __enter__(self) -> "Correspondent":
        """Begin."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let go of the port."""
        self._listener.close()

    def ask(self, to: tuple[str, int], message: Any, kind: type[Answer], until: float) -> Answer:
        """Ask, and wait for an answer of a kind.

        Raises:
            NotUnderstood: whoever listens there does not take this host's frames.
            OSError: nobody listens there, or no answer came in time.
        """
        self._send(to, message, until)
        while True:
            answer = self._next(until)
            if isinstance(answer, kind):
                return answer

    def _send(self, to: tuple[str, int], message: Any, until: float) -> None:
        payload = pickle.dumps((self.address, message))
        with socket.create_connection(to, timeout=_left(until)) as link:
            link.sendall(self._signer.seal(payload, "{}:{}".format(*to)))
            try:
                answer = _exactly(link, len(TAKEN))
            except ConnectionError:
                answer = b""
        if answer != TAKEN:
            raise NotUnderstood(f"{to[0]}:{to[1]} takes no frame of this key")

    def _next(self, until: float) -> Any:
        """Return the next message that is signed with the key, or None for one that is not."""
        self._listener.settimeout(_left(until))
        link, _ = self._listener.accept()
        with link, contextlib.suppress(FrameRefused, ConnectionError):
            link.settimeout(_left(until))
            body = _exactly(link, payload_bytes(_exactly(link, HEADER_BYTES)))
            payload = self._signer.open(body, {self._own})
            link.sendall(TAKEN)
            return pickle.loads(payload)[1]
        return None


def persistently(ask: Callable[[float], Answer | None], within_s: float) -> Answer | None:
    """Ask again and again, each time with an instant until which to wait.

    Raises:
        OSError: that of the last time.
    """
    ends = time.monotonic() + within_s
    while True:
        try:
            until = min(ends, time.monotonic() + ANSWER_AGAIN_S)
            if (answer := ask(until)) is not None:
                return answer
        except NotUnderstood:
            raise
        except OSError:
            if time.monotonic() >= ends:
                raise
        if time.monotonic() >= ends:
            return None
        time.sleep(max(0.0, min(until, ends) - time.monotonic()) / 4)


def _left(until: float) -> float:
    return max(0.01, until - time.monotonic())


def _exactly(link: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = link.recv(size - len(data))
        if not part:
            raise ConnectionResetError("closed before all had come")
        data += part
    return data

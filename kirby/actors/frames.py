"""Signed frames: nothing from an actor's port is unpickled before it is known whose it is.

A frame is 8 bytes of header (`KF1`, its kind, its length), and for a message: the receiver's
address, the time (±60 s), a number that is accepted once in that window, the keyed hash of all,
and the payload. Acknowledgements are bare headers: nothing in them is ever interpreted.
"""

import hmac
import pickle
import secrets
import struct
import time
from collections.abc import Callable, Collection, Sequence
from enum import IntEnum
from hashlib import blake2b
from typing import Any

from thespian.system.transport.streamBuffer import ackDataErrPacket, ackPacket

MAGIC = b"KF1"
MESSAGE_LIMIT = 4 * 1024 * 1024  # bytes; the largest message of ours is a schedule's definition
WINDOW_S = 60.0  # how far sender's and receiver's wall clocks may be apart
HASH_BYTES = 32
# A frame from the future of 60 s is stale 120 s later; by then its number may be forgotten.
REMEMBERED_S = 2 * WINDOW_S + 1.0

_HEADER = struct.Struct(">3sBI")
_STAMP = struct.Struct(">qQB")  # nanoseconds, number, length of the receiver's address


class Kind(IntEnum):
    """What a frame is."""

    MESSAGE = 1
    TAKEN = 2
    NOT_TAKEN = 3


TAKEN = _HEADER.pack(MAGIC, Kind.TAKEN, 0)
NOT_TAKEN = _HEADER.pack(MAGIC, Kind.NOT_TAKEN, 0)


HEADER_BYTES = _HEADER.size


class FrameRefused(ValueError):
    """A frame that is forged, replayed, stale, too large, or meant for another."""


def check_size(payload: bytes) -> None:
    """Tell the sender at once what no receiver would take.

    Raises:
        FrameRefused: with both sizes.
    """
    if len(payload) > MESSAGE_LIMIT:
        raise FrameRefused(f"a message of {len(payload)} bytes; at most {MESSAGE_LIMIT} pass")


def payload_bytes(header: bytes) -> int:
    """Return how many bytes follow the header of a message's frame.

    Raises:
        FrameRefused: it begins no message of ours, or too large a one.
    """
    magic, kind, length = _HEADER.unpack(header)
    if magic != MAGIC or kind != Kind.MESSAGE:
        raise FrameRefused("no message of Kirby's")
    if length > MESSAGE_LIMIT + _STAMP.size + 255 + HASH_BYTES:
        raise FrameRefused(f"a frame of {length} bytes")
    return int(length)


class Numbers:
    """The numbers that were accepted, for as long as their frames could come again."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._begun = self.born = monotonic()
        self._recent: set[int] = set()
        self._before: set[int] = set()

    def accept(self, number: int) -> None:
        """Remember a number.

        Raises:
            FrameRefused: it came before.
        """
        now = self._monotonic()
        if now - self._begun >= REMEMBERED_S:
            fresh = now - self._begun >= 2 * REMEMBERED_S
            self._before = set() if fresh else self._recent
            self._recent, self._begun = set(), now
        if number in self._recent or number in self._before:
            raise FrameRefused("a frame that came before")
        self._recent.add(number)


Keys = Callable[[], Sequence[bytes]]
"""The keys at this moment: the first one signs, and what any of them signed is taken."""


def always(key: bytes) -> Keys:
    """Return keys that never change."""
    return lambda: (key,)


class Signer:
    """Signs frames with the cluster's key, and opens those that holders of its keys signed."""

    def __init__(
        self,
        keys: Keys,
        *,
        wall: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._keys, self._wall, self._monotonic = keys, wall, monotonic
        self.forget()

    def forget(self) -> None:
        """Begin as a new receiver: frames sent to whoever had the port before are refused."""
        self.numbers = Numbers(self._monotonic)
        self._born_wall = self._wall()

    def seal(self, payload: bytes, receiver: str) -> bytes:
        """Make a message's frame.

        Raises:
            FrameRefused: the message is too large for anyone to take.
        """
        check_size(payload)
        address = receiver.encode()
        number = secrets.randbits(64)
        stamp = _STAMP.pack(int(self._wall() * 1e9), number, len(address)) + address
        body = stamp + _signature(self._keys()[0], stamp, payload) + payload
        return _HEADER.pack(MAGIC, Kind.MESSAGE, len(body)) + body

    def open(self, body: bytes, own: Collection[str]) -> bytes:
        """Return a message's payload.

        Raises:
            FrameRefused: with the reason; the payload was not looked at.
        """
        if len(body) < _STAMP.size:
            raise FrameRefused("a frame without a stamp")
        sent_ns, number, length = _STAMP.unpack_from(body)
        stamp, rest = body[: _STAMP.size + length], body[_STAMP.size + length :]
        signed, payload = rest[:HASH_BYTES], rest[HASH_BYTES:]
        made = (_signature(key, stamp, payload) for key in self._keys())
        if not any(hmac.compare_digest(signed, each) for each in made):
            raise FrameRefused("a frame that is not signed with the cluster's key")
        if stamp[_STAMP.size :].decode() not in own:
            raise FrameRefused("a frame for another receiver")
        self._check_time(sent_ns / 1e9)
        self.numbers.accept(number)
        return payload

    def _check_time(self, sent: float) -> None:
        if abs(self._wall() - sent) > WINDOW_S:
            raise FrameRefused("a frame whose time is more than a minute off")
        young = self._monotonic() - self.numbers.born < REMEMBERED_S
        if young and sent < self._born_wall:
            raise FrameRefused("a frame from before this receiver's time")


def _signature(key: bytes, stamp: bytes, payload: bytes) -> bytes:
    signed = blake2b(stamp, key=key, digest_size=HASH_BYTES)
    signed.update(payload)
    return signed.digest()


class FrameBuffer:
    """One frame as it comes in; it asks for no byte more than that frame has.

    Takes the place of Thespian's ReceiveBuffer, whose names it therefore bears.
    """

    signer: Signer  # set once for the process, by `transport.install`
    own: Collection[str] = ()  # this process's addresses

    def __init__(self, _deserialize: object = None) -> None:
        self._header = b""
        self._parts: list[bytes] = []
        self._missing = 0
        self._kind: Kind | None = None
        self._payload: bytes | None = None

    def addMore(self, data: bytes) -> None:  # noqa: N802
        """Take bytes.

        Raises:
            FrameRefused: no frame of ours, or one that may not pass.
        """
        if self._kind is None:
            room = _HEADER.size - len(self._header)
            self._header, data = self._header + data[:room], data[room:]
            if len(self._header) < _HEADER.size:
                return
            self._begin()
        self._missing -= len(data)
        self._parts.append(data)
        if self._missing < 0:
            raise FrameRefused("bytes behind a frame")
        if self._missing == 0 and self._kind is Kind.MESSAGE:
            self._payload = self.signer.open(b"".join(self._parts), self.own)

    def _begin(self) -> None:
        magic, kind, length = _HEADER.unpack(self._header)
        overhead = _STAMP.size + 255 + HASH_BYTES
        if magic != MAGIC or kind not in Kind.__members__.values():
            raise FrameRefused("no frame of Kirby's")
        if length > (MESSAGE_LIMIT + overhead if kind == Kind.MESSAGE else 0):
            raise FrameRefused(f"a frame of {length} bytes")
        self._kind, self._missing = Kind(kind), length

    def is_empty(self) -> bool:
        """Whether nothing came yet."""
        return not self._header

    def remainingAmount(self) -> int:  # noqa: N802
        """Return how many bytes to read next."""
        return self._missing if self._kind is not None else _HEADER.size - len(self._header)

    def isDone(self) -> bool:  # noqa: N802
        """Whether the frame is whole, and was found to be good."""
        whole = self._kind is not None and self._missing == 0
        return whole and (self._kind is not Kind.MESSAGE or self._payload is not None)

    def removeExtra(self) -> None:  # noqa: N802
        """Do nothing: there never is anything behind a frame."""

    def completed(self) -> tuple[Any, bytes] | None:
        """Return what Thespian makes of the frame: a message, or the word for its kind."""
        if not self.isDone():
            return None
        if self._payload is not None:
            return pickle.loads(self._payload), b""
        return (ackPacket if self._kind is Kind.TAKEN else ackDataErrPacket), b""

"""The shim's end of its socket: frames of JSON, answered in the order in which they were asked."""

import errno
import json
import select
import struct
from collections import deque
from collections.abc import Callable

from kirby.shim.kernel import boot_ns
from kirby.shim.loop import Loop
from kirby.shim.requests import Request
from kirby.shim.sockets import Socket, accept, listen, may_ask

LENGTH = struct.Struct(">I")
LARGEST = 4 * 1024 * 1024  # bytes of a frame
LARGEST_BACKLOG = 16 * 1024 * 1024  # bytes; who lets more wait is cut off
CHUNK = 262_144
# A host's own: up to 64 Watchdogs, Runner, Arbiter, Recorder, start process, and commands.
MOST_PEERS = 128
WITHOUT_DESCRIPTORS = (errno.EMFILE, errno.ENFILE)

OnRequest = Callable[["Slot", Request, int], None]  # where the answer goes, request, its length


class Slot:
    """The place of one answer in the order of a connection."""

    __slots__ = ("answer", "connection", "number")

    def __init__(self, connection: "Connection", number: object) -> None:
        self.connection = connection
        self.number = number
        self.answer: bytes | None = None

    def fill(self, fields: Request) -> None:
        """Answer; it leaves when all earlier ones of the connection have left."""
        self.answer = framed({"id": self.number, "ok": True, **fields})
        self.connection.flush()


class Connection:
    """One peer."""

    def __init__(self, loop: Loop, peer: Socket, on_request: OnRequest) -> None:
        self._loop = loop
        self._peer = peer
        self._on_request = on_request
        self._in = bytearray()
        self._out = bytearray()
        self._slots: deque[Slot] = deque()
        self._wants_out = False
        self.watches = False
        self.open = True
        self.asked_at = 0  # when its last whole request came
        peer.setblocking(False)
        loop.watch(peer.fileno(), self._ready)

    def push(self, event: Request) -> None:
        """Send an event that nobody asked for."""
        self._out += framed(event)
        self._send()

    def flush(self) -> None:
        """Send the answers whose turn it is."""
        while self._slots and self._slots[0].answer is not None:
            self._out += self._slots.popleft().answer or b""
        self._send()

    def close(self) -> None:
        """Hang up."""
        if self.open:
            self.open = False
            self._loop.forget(self._peer.fileno())
            self._peer.close()

    def _ready(self, _: int, mask: int) -> None:
        if mask & select.EPOLLOUT:
            self._send()
        if self.open and mask & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR):
            self._receive()

    def _receive(self) -> None:
        try:
            data = self._peer.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self._in += data
        while self.open and (frame := self._take_frame()) is not None:
            self._take(frame)

    def _take_frame(self) -> bytes | None:
        if len(self._in) < LENGTH.size:
            return None
        length = LENGTH.unpack_from(self._in)[0]
        if length > LARGEST:
            self.close()
            return None
        if len(self._in) < LENGTH.size + length:
            return None
        frame = bytes(self._in[LENGTH.size : LENGTH.size + length])
        del self._in[: LENGTH.size + length]
        return frame

    def _take(self, frame: bytes) -> None:
        try:
            request = json.loads(frame)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            self.close()  # not our protocol: nothing it says can be trusted
            return
        self.asked_at = boot_ns()
        slot = Slot(self, request.get("id"))
        self._slots.append(slot)
        self._on_request(slot, request, len(frame))

    def _send(self) -> None:
        while self.open and self._out:
            try:
                sent = self._peer.send(self._out)
            except BlockingIOError:
                break
            except OSError:
                self.close()
                return
            del self._out[:sent]
        if len(self._out) > LARGEST_BACKLOG:
            self.close()
        if self.open and bool(self._out) != self._wants_out:
            self._wants_out = bool(self._out)
            more = select.EPOLLOUT if self._wants_out else 0
            self._loop.change(self._peer.fileno(), select.EPOLLIN | more)


def framed(content: Request) -> bytes:
    """Write a frame."""
    data = json.dumps(content, separators=(",", ":")).encode()
    return LENGTH.pack(len(data)) + data


class Listener:
    """The socket in the state folder."""

    def __init__(self, loop: Loop, folder: str, on_request: OnRequest) -> None:
        self.connections: set[Connection] = set()
        self._loop = loop
        self._on_request = on_request
        self._socket = listen(folder)
        loop.watch(self._socket.fileno(), self._accept)

    def prune(self) -> None:
        """Forget the connections that are closed."""
        self.connections = {one for one in self.connections if one.open}

    def _accept(self, _: int, __: int) -> None:
        try:
            peer = accept(self._socket)
        except OSError as fault:
            if fault.errno in WITHOUT_DESCRIPTORS:
                self._make_room(0)
            return
        if not may_ask(peer):
            peer.close()
            return
        self._make_room(MOST_PEERS - 1)
        self.connections.add(Connection(self._loop, peer, self._on_request))

    def _make_room(self, most: int) -> None:
        """Hang up on the one that has been silent for longest, where there are more than so many.

        So nobody is shut out by those that connect and say nothing; one of Kirby's own comes again.
        """
        self.prune()
        if len(self.connections) > most:
            min(self.connections, key=lambda one: (one.watches, one.asked_at)).close()

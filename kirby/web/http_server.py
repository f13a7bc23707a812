"""The HTTP server: one thread reads all connections, and a request takes a worker once it is whole.

So whoever opens connections and says nothing, or half of something, holds nobody up. Connections
are counted; beyond the limit the one that was idle for longest makes room. waitress does the
reading; what is here is what it leaves open.
"""

import contextlib
import copy
import logging
import socket
import threading
import time
from typing import Any

from waitress import wasyncore
from waitress.adjustments import Adjustments
from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.server import TcpWSGIServer
from waitress.task import ThreadedTaskDispatcher

from kirby.core.configuration_fields import Endpoint

THREADS = 16
CONNECTIONS = 300
BACKLOG = 512
IDLE_S = 60  # between two requests, or two pieces of one
HEAD_S = 20.0  # for all headers of a request
LOOK_EVERY_S = 5
SHUTDOWN_S = 3.0
HEADER_LIMIT = 64 * 1024
SMALL_BODY_LIMIT = 8 * 1024 * 1024  # JSON and forms; the application's own limit is half of it
UPLOAD_LIMIT = 600 * 1024 * 1024  # a package, by somebody who names a token
UPLOADS = "/packages/"
BODY_IN_MEMORY = 64 * 1024  # beyond it a body waits on disk until it is whole
BODIES_LIMIT = 2 * UPLOAD_LIMIT  # of all that are under way; who sends them is not known yet
# What is written for a client that does not read waits on disk and never holds a worker.
UNREAD_LIMIT = 1 << 40

_log = logging.getLogger(__name__)


class Request(HTTPRequestParser):
    """A request that is being read; only an upload may be long."""

    adj: Any

    def __init__(self, adj: Any) -> None:
        super().__init__(adj)
        self.begun = time.monotonic()

    def parse_header(self, header_plus: bytes) -> None:
        """Read the headers, and choose how much may follow them."""
        super().parse_header(header_plus)
        if not (self.path.startswith(UPLOADS) and "AUTHORIZATION" in self.headers):
            self.adj = copy.copy(self.adj)
            self.adj.max_request_body_size = SMALL_BODY_LIMIT


class Connection(HTTPChannel):
    """One connection."""

    parser_class = Request

    @property
    def is_busy(self) -> bool:
        """Whether a whole request waits for its answer."""
        return bool(self.requests)

    @property
    def unread(self) -> int:
        """How much of an unfinished body is kept."""
        return self.request.body_bytes_received if self.request is not None else 0

    def received(self, data: bytes) -> bool:
        """Take what was read; where all bodies together are too long, the longest goes."""
        taken: bool = super().received(data)
        if self.unread:
            self.server.bound_bodies()
        return taken

    def is_slow(self, now: float) -> bool:
        """Whether the headers of a request have been on their way for too long."""
        reading = self.request
        return reading is not None and not reading.headers_finished and now - reading.begun > HEAD_S


class HttpServer(TcpWSGIServer):
    """Listens at an endpoint from the moment it is made; answers while `serve` runs.

    Raises:
        OSError: the endpoint cannot be had.
    """

    channel_class = Connection

    def __init__(
        self,
        application: Any,
        endpoint: Endpoint,
        limit: int = CONNECTIONS,
        bodies_limit: int = BODIES_LIMIT,
    ) -> None:
        listener = _listener(endpoint)
        self.limit = limit
        self.bodies_limit = bodies_limit
        self._ending = threading.Event()
        self._ended = threading.Event()
        dispatcher = ThreadedTaskDispatcher()
        super().__init__(
            application,
            {},
            _sock=listener,
            dispatcher=dispatcher,
            adj=_adjustments(listener),
            sockinfo=(listener.family, listener.type, listener.proto, listener.getsockname()),
            bind_socket=False,
        )
        dispatcher.set_thread_count(THREADS)

    @property
    def address(self) -> Endpoint:
        """Where it listens."""
        host, port = self.socket.getsockname()[:2]
        return Endpoint(host=host, port=port)

    def serve(self) -> None:
        """Answer until `stop`; then finish what is under way."""
        while not self._ending.is_set():
            self._turn(1.0)
        wasyncore.dispatcher.close(self)  # nobody comes in any more; the trigger stays
        until = time.monotonic() + SHUTDOWN_S
        while time.monotonic() < until and any(map(_is_under_way, self._connections())):
            self._turn(0.1)
        self.task_dispatcher.shutdown(timeout=max(0.0, until - time.monotonic()))
        wasyncore.close_all(self._map, ignore_all=True)
        self._ended.set()

    def stop(self) -> None:
        """End, after the requests that are under way; doing it twice is harmless."""
        self._ending.set()
        if not self._ended.is_set():
            self.pull_trigger()
            self._ended.wait(2 * SHUTDOWN_S)

    def handle_accept(self) -> None:
        """Take a connection in; where there are too many, the longest idle one goes."""
        if len(self.active_channels) >= self.limit and not self._make_room():
            with contextlib.suppress(OSError, TypeError):  # nobody there any more
                self.accept()[0].close()
            return
        super().handle_accept()

    def maintenance(self, now: float) -> None:
        """Close what has been silent, or slow, for too long."""
        super().maintenance(now)
        for each in self._connections():
            if not each.is_busy and (each.will_close or each.is_slow(time.monotonic())):
                each.handle_close()

    def bound_bodies(self) -> None:
        """Break off the longest unfinished body while all of them are too long."""
        reading = sorted(self._connections(), key=lambda each: each.unread)
        total = sum(each.unread for each in reading)
        while total > self.bodies_limit and reading:
            longest = reading.pop()
            total -= longest.unread
            longest.handle_close()

    def _make_room(self) -> bool:
        idle = [each for each in self._connections() if not each.is_busy]
        if not idle:
            return False
        min(idle, key=lambda each: each.last_activity).handle_close()
        return True

    def _connections(self) -> list[Connection]:
        return list(self.active_channels.values())

    def _turn(self, timeout_s: float) -> None:
        """Wait for something to be read or written, and do it; a fault ends no more than a turn."""
        try:
            wasyncore.loop(timeout=timeout_s, use_poll=True, map=self._map, count=1)
        except Exception:
            _log.exception("reading requests failed; going on")
            self._ending.wait(0.1)


def _is_under_way(connection: Connection) -> bool:
    return connection.is_busy or bool(connection.total_outbufs_len)


def _listener(endpoint: Endpoint) -> socket.socket:
    found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    family, _, _, _, address = found[0]
    return socket.create_server(address[:2], family=family, backlog=BACKLOG)


def _adjustments(listener: socket.socket) -> Any:
    # waitress tells of each request that waits for a worker, and of each browser that went away.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    return Adjustments(
        sockets=[listener],
        ident="kirby",
        backlog=BACKLOG,
        connection_limit=1 << 30,  # it would stop listening; see `handle_accept`
        channel_timeout=IDLE_S,
        cleanup_interval=LOOK_EVERY_S,
        log_socket_errors=False,
        inbuf_overflow=BODY_IN_MEMORY,
        max_request_header_size=HEADER_LIMIT,
        max_request_body_size=UPLOAD_LIMIT,
        outbuf_high_watermark=UNREAD_LIMIT,
        clear_untrusted_proxy_headers=False,  # a proxy in front says whether it spoke TLS
    )

"""The HTTP server against clients that say nothing, half of something, or too much."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from kirby.core.configuration_fields import Endpoint
from kirby.web.http_server import HttpServer

pytestmark = pytest.mark.integration
PATIENCE_S = 40.0
ANYWHERE = Endpoint(host="127.0.0.1", port=0)


def application(environ: Any, start_response: Any) -> list[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{environ['PATH_INFO']} {len(body)}".encode()]


@contextlib.contextmanager
def a_server(**options: Any) -> Iterator[HttpServer]:
    server = HttpServer(options.pop("application", application), ANYWHERE, **options)
    thread = threading.Thread(target=server.serve)
    thread.start()
    try:
        yield server
    finally:
        server.stop()
        thread.join(PATIENCE_S)
        assert not thread.is_alive()


@contextlib.contextmanager
def clients(server: HttpServer, count: int, said: bytes = b"") -> Iterator[list[socket.socket]]:
    with contextlib.ExitStack() as stack:
        found = [stack.enter_context(a_client(server)) for _ in range(count)]
        for each in found:
            each.sendall(said)
        yield found


def a_client(server: HttpServer) -> socket.socket:
    return socket.create_connection((server.address.host, server.address.port), PATIENCE_S)


def health(server: HttpServer) -> httpx.Response:
    return httpx.get(f"http://{server.address}/health", timeout=PATIENCE_S)


def wait_until(what: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE_S
    while not what():
        assert time.monotonic() < until
        time.sleep(0.01)


def is_closed(client: socket.socket) -> bool:
    client.settimeout(PATIENCE_S)
    with contextlib.suppress(ConnectionResetError):
        return client.recv(1000) == b""
    return True


def test_two_hundred_silent_connections_and_half_requests_hold_nobody_up():
    half = b"POST /jobs HTTP/1.1\r\nHost: kirby\r\nContent-Length: 100\r\n\r\n{"

    with (
        a_server() as server,
        clients(server, 100),
        clients(server, 50, b"GET /hea"),
        clients(server, 50, half),
    ):
        answers = [health(server).text for _ in range(20)]

    assert answers == ["/health 0"] * 20


def test_beyond_the_limit_the_connection_that_was_idle_for_longest_is_closed():
    with a_server(limit=5) as server, clients(server, 5) as early:
        early[0].sendall(b"GET /hea")
        wait_until(lambda: any(each.request for each in list(server.active_channels.values())))
        answer = health(server)
        closed = is_closed(early[1])
        early[0].sendall(b"lth HTTP/1.0\r\n\r\n")
        finished = early[0].recv(1000)

    assert answer.text == "/health 0"
    assert closed
    assert finished.startswith(b"HTTP/1.0 200")


def test_where_every_connection_waits_for_an_answer_one_more_is_turned_away():
    going, go_on = threading.Semaphore(0), threading.Event()

    def slow(environ: Any, start_response: Any) -> list[bytes]:
        going.release()
        go_on.wait(PATIENCE_S)
        return application(environ, start_response)

    whole = b"GET /slow HTTP/1.0\r\n\r\n"
    with a_server(application=slow, limit=2) as server, clients(server, 2, whole) as waiting:
        for _ in waiting:
            assert going.acquire(timeout=PATIENCE_S)
        with a_client(server) as one_more:
            turned_away = is_closed(one_more)
        go_on.set()
        answered = [each.recv(1000)[:12] for each in waiting]

    assert turned_away
    assert answered == [b"HTTP/1.0 200"] * 2


def test_a_long_body_is_only_read_where_packages_go_and_a_token_is_named():
    body = b"x" * (9 * 1024 * 1024)
    token = {"Authorization": "Bearer kby_x"}

    with a_server() as server:
        url = f"http://{server.address}"
        upload = httpx.post(f"{url}/packages/", content=body, headers=token, timeout=PATIENCE_S)
        refused = _status_of(f"{url}/packages/", body, {})
        elsewhere = _status_of(f"{url}/document/apply", body, token)

    assert upload.text == f"/packages/ {len(body)}"
    assert refused in (413, None)
    assert elsewhere in (413, None)


def _status_of(url: str, body: bytes, headers: dict[str, str]) -> int | None:
    """Return the status; None where the connection was closed while the body was on its way."""
    try:
        return httpx.post(url, content=body, headers=headers, timeout=PATIENCE_S).status_code
    except httpx.TransportError:
        return None


def test_unfinished_bodies_take_no_more_room_than_they_may_together():
    head = b"POST /jobs HTTP/1.1\r\nHost: kirby\r\nContent-Length: 400000\r\n\r\n"
    one = head + b"x" * 50_000

    with a_server(bodies_limit=120_000) as server, clients(server, 4, one) as sending:
        wait_until(lambda: any(each.unread for each in list(server.active_channels.values())))
        wait_until(lambda: len(server.active_channels) == 2)
        left = sum(each.unread for each in list(server.active_channels.values()))

    assert len(sending) == 4
    assert 0 < left <= 120_000


def test_what_is_under_way_is_answered_when_the_server_ends():
    going, go_on = threading.Event(), threading.Event()

    def slow(environ: Any, start_response: Any) -> list[bytes]:
        going.set()
        go_on.wait(PATIENCE_S)
        return application(environ, start_response)

    with (
        a_server(application=slow) as server,
        clients(server, 1, b"GET /x HTTP/1.0\r\n\r\n") as (client,),
    ):
        assert going.wait(PATIENCE_S)
        ending = threading.Thread(target=server.stop)
        ending.start()
        go_on.set()
        ending.join(PATIENCE_S)
        answer = client.recv(1000)

    assert answer.endswith(b"/x 0")

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kirby.core.configuration import WEB_LISTEN
from kirby.core.configuration_fields import Endpoint
from kirby.host import web_address
from kirby.host.state import StateFolder
from kirby.host.web_address import WebAddress, choose_web_endpoint, url_of, write_web_address

NOBODY = 2**22 + 1  # no pid is so high


@pytest.fixture(autouse=True)
def usual(monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        endpoint = Endpoint(host="127.0.0.1", port=free.getsockname()[1])
    monkeypatch.setattr(web_address, "WEB_LISTEN", endpoint)
    return endpoint


@contextmanager
def taken(endpoint: Endpoint) -> Iterator[None]:
    with socket.socket() as other:
        other.bind((endpoint.host, endpoint.port))
        other.listen()
        yield


def test_the_usual_address_is_taken_where_it_is_free(tmp_path: Path, usual: Endpoint) -> None:
    assert choose_web_endpoint(StateFolder(path=tmp_path), usual) == usual


def test_another_port_is_taken_where_the_usual_one_is_not_free(
    tmp_path: Path, usual: Endpoint
) -> None:
    with taken(usual):
        chosen = choose_web_endpoint(StateFolder(path=tmp_path), usual)

    assert chosen.host == usual.host
    assert chosen.port not in (0, usual.port)


def test_the_port_of_the_last_time_is_kept(tmp_path: Path, usual: Endpoint) -> None:
    folder = StateFolder(path=tmp_path)
    with taken(usual):
        first = choose_web_endpoint(folder, usual)
    write_web_address(folder, WebAddress(host=first.host, port=first.port, pid=NOBODY))

    assert choose_web_endpoint(folder, usual) == first


def test_the_address_of_a_living_service_is_its_own(tmp_path: Path, usual: Endpoint) -> None:
    folder = StateFolder(path=tmp_path)
    write_web_address(folder, WebAddress(host=usual.host, port=usual.port, pid=os.getpid()))

    with taken(usual):
        assert choose_web_endpoint(folder, usual) == usual


def test_an_address_that_was_asked_for_is_taken_as_it_is(tmp_path: Path) -> None:
    asked = Endpoint(host="127.0.0.9", port=80)

    assert choose_web_endpoint(StateFolder(path=tmp_path), asked) == asked


def test_a_service_that_listens_everywhere_is_found_at_the_hosts_address() -> None:
    assert url_of(Endpoint(host="0.0.0.0", port=8642), "10.0.0.7") == "http://10.0.0.7:8642"
    assert url_of(WEB_LISTEN, "10.0.0.7") == "http://127.0.0.1:8642"

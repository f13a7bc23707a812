"""A host asks real web services whether the cluster's key was changed while it was down."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kirby.core.errors import ExitCode, KeyOutdated
from kirby.host.key_changes import announcement
from kirby.host.key_fetch import KeyFetch, catch_up
from kirby.host.key_file import read_ring
from kirby.host.keys import ClusterKeys, load_keys, load_or_create_keys
from kirby.host.state import StateFolder
from tests.stories.patience import eventually

pytestmark = pytest.mark.integration

NOBODY = "http://127.0.0.1:9"
GONE = "this host's key was changed for another: 'kirby key take --replace'"


class WebService:
    """Answers every question with what a test lays down; knows who asked."""

    def __init__(self) -> None:
        self.status, self.body = 200, b'{"changes": []}'
        self.asked: list[tuple[str, str | None]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                service.asked.append((self.path, self.headers["Authorization"]))
                self.send_response(service.status)
                self.end_headers()
                self.wfile.write(service.body)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def announces(self, folder: StateFolder, *, after: timedelta = timedelta(0)) -> None:
        """Have a next key, sealed with the one that a folder holds."""
        ring, now = read_ring(folder.key), datetime.now(UTC)
        told, _ = announcement(ring, now, after=after, grace=timedelta(hours=1))
        self.body = msgspec.json.encode({"changes": [told]})

    def refuses(self) -> None:
        """Say that the key of whoever asks is taken no more."""
        self.status = 410
        self.body = json.dumps({"faults": [{"field": "", "sentence": GONE}]}).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def web() -> Iterator[WebService]:
    """Give a web service that has announced nothing."""
    with closing(WebService()) as web:
        yield web


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    """Give the state folder of a host that has a key."""
    folder = StateFolder(path=tmp_path)
    folder.prepare()
    load_or_create_keys(folder)
    return folder


def test_a_host_learns_of_a_change_from_the_first_service_that_answers(web, folder):
    before = load_keys(folder).host_token()
    web.announces(folder)

    is_new = catch_up(folder, [NOBODY, web.url])

    assert is_new
    assert web.asked == [("/keys/changes", f"Bearer {before}")]
    assert load_keys(folder).host_token() != before
    assert load_keys(folder).is_host_token(before)


def test_what_makes_no_sense_is_no_change(web, folder):
    web.body = b"<html>a page of a proxy</html>"

    assert not catch_up(folder, [web.url])
    assert not catch_up(folder, [NOBODY])


def test_a_host_that_was_down_for_too_long_does_not_start_and_says_what_to_do(web, folder):
    web.refuses()
    words = ["start", "--state", str(folder.path), "--web", web.url, "--kafka", "127.0.0.1:9"]

    said = subprocess.run(
        [sys.executable, "-m", "kirby.actors.system", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )

    assert said.returncode == ExitCode.KEY_OUTDATED
    assert said.stderr.strip() == GONE


def test_a_living_host_follows_a_change_and_every_process_of_it_sees_the_new_key(web, folder):
    elsewhere: ClusterKeys = load_keys(folder)  # as another process of the host holds them
    before = elsewhere.host_token()
    web.announces(folder)
    fetch = KeyFetch(folder=folder, urls=[web.url], log=logging.getLogger("test"))

    fetch.start()

    eventually(elsewhere.host_token, what="the new key signs", until=lambda t: t != before)
    fetch.close()


def test_a_living_host_that_is_refused_says_so_once_and_goes_on(web, folder, caplog):
    web.refuses()
    fetch = KeyFetch(folder=folder, urls=[web.url], log=logging.getLogger("test"))

    for _ in range(3):
        fetch._look()

    assert caplog.messages.count(GONE) == 1
    with pytest.raises(KeyOutdated):
        catch_up(folder, [web.url])

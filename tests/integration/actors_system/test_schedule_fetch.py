"""How a Scheduler asks a web service for the schedule: with which token."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from kirby.actors.schedule_fetch import ScheduleFetch
from kirby.core.leader.events import ScheduleFailed, ScheduleFetched
from tests.stories.patience import eventually

pytestmark = pytest.mark.integration


@contextmanager
def a_web_service(seen: list[str | None]) -> Iterator[str]:
    class Unchanged(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            self.send_response(304)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Unchanged)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


def test_each_question_bears_the_token_of_the_key_that_counts_then() -> None:
    seen: list[str | None] = []
    told: list[ScheduleFetched | ScheduleFailed] = []
    tokens = iter(["of-the-first-key", "of-the-second-key"])

    with a_web_service(seen) as url:
        fetch = ScheduleFetch(urls=(url,), token=lambda: next(tokens), tell=told.append)
        fetch.start()
        fetch.ask(None)
        eventually(lambda: len(told) == 1, what="the first answer")
        fetch.ask(3)
        eventually(lambda: len(told) == 2, what="the second answer")
        fetch.close()

    assert seen == ["Bearer of-the-first-key", "Bearer of-the-second-key"]
    assert told == [ScheduleFetched(schedule=None)] * 2

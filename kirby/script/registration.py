"""Tells the web service what a script reads and writes; never fails or holds up the script."""

import json
import threading
from collections.abc import Callable
from typing import Any

from kirby.script.surroundings import Surroundings

GATHER_SECONDS = 0.2  # what is opened together is told together
ANSWER_LIMIT_SECONDS = 5.0
RETRIES_SECONDS = (1.0, 5.0, 30.0, 120.0, 600.0)
END_LIMIT_SECONDS = 0.5  # what a script that ends at once may lose in the worst case

Tell = Callable[[str, str, dict[str, Any]], None]  # URL, token, body; raises OSError


class Registration:
    """What was opened so far, and a thread that tells it."""

    def __init__(self, surroundings: Surroundings, tell: Tell | None = None) -> None:
        self._surroundings = surroundings
        self._tell = tell or tell_by_http
        self._found: dict[str, list[str]] = {"sources": [], "destinations": []}
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()

    def source(self, topic: str) -> None:
        """Take note that the script reads a topic."""
        self._add("sources", topic)

    def destination(self, topic: str) -> None:
        """Take note that the script writes to a topic."""
        self._add("destinations", topic)

    def end(self) -> None:
        """Tell what is not told yet, if that takes no time worth speaking of."""
        self._ending.set()
        thread = self._thread
        if thread is not None:
            thread.join(END_LIMIT_SECONDS)

    def _add(self, side: str, topic: str) -> None:
        if not (self._surroundings.url and self._surroundings.token):
            return
        with self._lock:
            if topic in self._found[side]:
                return
            self._found[side].append(topic)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._work, name="kirby-registration", daemon=True
                )
                self._thread.start()

    def _work(self) -> None:
        told: dict[str, Any] = {}
        self._ending.wait(GATHER_SECONDS)
        while True:
            with self._lock:
                body = self._body()
                if body == told:
                    self._thread = None
                    return
            self._try(body)
            told = body

    def _try(self, body: dict[str, Any]) -> None:
        for pause in (*RETRIES_SECONDS, None):
            # Several web services may be named, with commas between.
            if any(self._is_told(url, body) for url in self._surroundings.url.split(",")):
                return
            if pause is None or self._ending.wait(pause):
                return

    def _is_told(self, url: str, body: dict[str, Any]) -> bool:
        try:
            self._tell(f"{url.rstrip('/')}/registration", self._surroundings.token, body)
        except Exception:  # whatever it is, it is no business of the script
            return False
        return True

    def _body(self) -> dict[str, Any]:
        return {
            "run": self._surroundings.run,
            **{
                side: [{"kind": "topic", "name": topic} for topic in topics]
                for side, topics in self._found.items()
            },
        }


def tell_by_http(url: str, token: str, body: dict[str, Any]) -> None:
    """Send a PATCH. No proxy of the script's own stands between it and Kirby."""
    from urllib.request import ProxyHandler, Request, build_opener

    request = Request(
        url,
        data=json.dumps(body).encode(),
        method="PATCH",
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with build_opener(ProxyHandler({})).open(request, timeout=ANSWER_LIMIT_SECONDS):
        pass

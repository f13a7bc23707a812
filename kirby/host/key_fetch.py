"""Asks the web services whether the cluster's key was changed: at the start, and then for ever."""

import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus

import httpx
import msgspec

from kirby.core.errors import KeyOutdated, KirbyError
from kirby.core.key_ring import Announced
from kirby.host.key_changes import freshen_token, take_announced
from kirby.host.keys import ClusterKeys, load_keys
from kirby.host.state import StateFolder

ASK_EVERY_S = 5.0
ANSWER_WITHIN_S = 3.0


class _Changes(msgspec.Struct, frozen=True, kw_only=True):
    changes: list[Announced]


class _Faults(msgspec.Struct, frozen=True, kw_only=True):
    faults: list[dict[str, str]]


def catch_up(folder: StateFolder, urls: Sequence[str]) -> bool:
    """Take in what the first web service that answers has announced; tell whether it was new.

    Raises:
        KeyOutdated: this host missed a change for longer than its grace period.
        Insecure: this host's key cannot be read.
    """
    keys = load_keys(folder)
    for url in urls:
        told = _changes(url, keys)
        if told is not None:
            is_new = take_announced(folder, told, datetime.now(UTC))
            freshen_token(folder, keys)
            return is_new
    return False


def _changes(url: str, keys: ClusterKeys) -> list[Announced] | None:
    """Return what was announced; None: nobody answers there, or with something else."""
    headers = {"Authorization": f"Bearer {keys.host_token()}", "Accept": "application/json"}
    try:
        response = httpx.get(
            f"{url.rstrip('/')}/keys/changes",
            headers=headers,
            timeout=ANSWER_WITHIN_S,
            trust_env=False,
        )
        if response.status_code == HTTPStatus.GONE:
            told = msgspec.json.decode(response.content, type=_Faults)
            raise KeyOutdated(told.faults[0]["sentence"])
        if response.is_error:
            return None
        return msgspec.json.decode(response.content, type=_Changes).changes
    except (httpx.HTTPError, httpx.InvalidURL, msgspec.MsgspecError):
        return None


@dataclass(kw_only=True)
class KeyFetch:
    """A thread that asks every few seconds, and writes what it learns into the key file."""

    folder: StateFolder
    urls: Sequence[str]
    log: logging.Logger
    _ends: threading.Event = field(default_factory=threading.Event)
    _said: str = ""

    def start(self) -> None:
        """Begin to ask."""
        # In each process: an actor begins with loggers of its own, and each question would be told.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        threading.Thread(target=self._work, name="key-fetch", daemon=True).start()

    def close(self) -> None:
        """Ask no more."""
        self._ends.set()

    def _work(self) -> None:
        self._look()
        while not self._ends.wait(ASK_EVERY_S):
            self._look()

    def _look(self) -> None:
        try:
            if catch_up(self.folder, self.urls):
                self.log.warning("the cluster's key is changed; see 'kirby key list'")
            self._said = ""
        except (KirbyError, OSError) as fault:
            self._say(str(fault))

    def _say(self, sentence: str) -> None:
        if sentence != self._said:
            self.log.error("%s", sentence)
        self._said = sentence

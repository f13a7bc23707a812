"""Asks the web service for the schedule, in a thread: an actor never waits for a socket."""

import logging
import queue
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import msgspec

from kirby.core.leader.events import ScheduleFailed, ScheduleFetched
from kirby.core.nouns import Schedule
from kirby.core.web_choice import WebChoice, answered, order

TIME_LIMIT_SECONDS = 5.0  # of one answer; a whole schedule of 100,000 contexts takes about two
UNCHANGED = 304

_DECODER = msgspec.json.Decoder(Schedule)


@dataclass(frozen=True, kw_only=True)
class _Ask:
    since: int | None


@dataclass(kw_only=True)
class ScheduleFetch:
    """One thread, one question at a time; the answer is handed to `tell`.

    The addresses are tried in turn, beginning with the one that answered last, and each minute
    with the nearest again.
    """

    urls: Sequence[str]
    token: Callable[[], str] = field(repr=False)
    tell: Callable[[ScheduleFetched | ScheduleFailed], None]
    _questions: "queue.SimpleQueue[_Ask | None]" = field(default_factory=queue.SimpleQueue)

    def start(self) -> None:
        """Begin to answer."""
        # In each process: an actor begins with loggers of its own. It would tell each question.
        logging.getLogger("httpx").setLevel(logging.WARNING)
        threading.Thread(target=self._work, name="schedule-fetch", daemon=True).start()

    def ask(self, since: int | None) -> None:
        """Ask for what changed since a revision; None: for everything."""
        self._questions.put(_Ask(since=since))

    def close(self) -> None:
        """End the thread after the question that is under way."""
        self._questions.put(None)

    def _work(self) -> None:
        choice = WebChoice(urls=tuple(self.urls))
        headers = {"Accept": "application/json"}
        with httpx.Client(headers=headers, timeout=TIME_LIMIT_SECONDS, trust_env=False) as client:
            while (question := self._questions.get()) is not None:
                # Each time, as the cluster's key may have changed since.
                client.headers["Authorization"] = f"Bearer {self.token()}"
                choice, answer = _first_answer(client, choice, question.since)
                self.tell(answer)


def _first_answer(
    client: httpx.Client, choice: WebChoice, since: int | None
) -> tuple[WebChoice, ScheduleFetched | ScheduleFailed]:
    faults = []
    for url in order(choice, time.monotonic()):
        try:
            answer = _fetch(client, url, since)
        except (httpx.HTTPError, msgspec.MsgspecError) as fault:
            faults.append(f"{url}: {fault}")
        else:
            return answered(choice, url, time.monotonic()), answer
    sentence = f"the web service does not answer ({'; '.join(faults)})"
    return choice, ScheduleFailed(sentence=sentence)


def _fetch(client: httpx.Client, url: str, since: int | None) -> ScheduleFetched:
    query = {} if since is None else {"since": since}
    response = client.get(f"{url.rstrip('/')}/schedule", params=query)
    if response.status_code == UNCHANGED:
        return ScheduleFetched(schedule=None)
    response.raise_for_status()
    return ScheduleFetched(schedule=_DECODER.decode(response.content))

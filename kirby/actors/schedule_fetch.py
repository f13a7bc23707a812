"""Asks the web service for the schedule, in a thread: an actor never waits for a socket."""

import logging
import queue
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import httpx
import msgspec

from kirby.core.leader.events import ScheduleFailed, ScheduleFetched
from kirby.core.nouns import Schedule

TIME_LIMIT_SECONDS = 5.0  # of one answer; a whole schedule of 100,000 contexts takes about two
UNCHANGED = 304

_DECODER = msgspec.json.Decoder(Schedule)


@dataclass(frozen=True, kw_only=True)
class _Ask:
    since: int | None


@dataclass(kw_only=True)
class ScheduleFetch:
    """One thread, one question at a time; the answer is handed to `tell`.

    The addresses are tried in turn, beginning with the one that answered last.
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
        urls = list(self.urls)
        headers = {"Accept": "application/json"}
        with httpx.Client(headers=headers, timeout=TIME_LIMIT_SECONDS, trust_env=False) as client:
            while (question := self._questions.get()) is not None:
                # Made anew for each question: the cluster's key may have been changed meanwhile.
                client.headers["Authorization"] = f"Bearer {self.token()}"
                self.tell(self._first_answer(client, urls, question.since))

    def _first_answer(
        self, client: httpx.Client, urls: list[str], since: int | None
    ) -> ScheduleFetched | ScheduleFailed:
        faults = []
        for url in list(urls):
            try:
                answer = _fetch(client, url, since)
            except (httpx.HTTPError, msgspec.MsgspecError) as fault:
                faults.append(f"{url}: {fault}")
                urls.append(urls.pop(0))
            else:
                return answer
        return ScheduleFailed(sentence=f"the web service does not answer ({'; '.join(faults)})")


def _fetch(client: httpx.Client, url: str, since: int | None) -> ScheduleFetched:
    query = {} if since is None else {"since": since}
    response = client.get(f"{url.rstrip('/')}/schedule", params=query)
    if response.status_code == UNCHANGED:
        return ScheduleFetched(schedule=None)
    response.raise_for_status()
    return ScheduleFetched(schedule=_DECODER.decode(response.content))

"""What a script reads and writes is told to the web service, and never at the script's cost."""

import threading
from typing import Any

from kirby.script.registration import Registration
from tests.builders.script import surroundings

IN_KIRBY = {"url": "http://127.0.0.1:8642", "token": "kby_run"}


class Told:
    """Takes what is told; fails the first `failures` times."""

    def __init__(self, failures: int = 0) -> None:
        self.bodies: list[tuple[str, str, dict[str, Any]]] = []
        self.failures = failures
        self.tries = 0

    def __call__(self, url: str, token: str, body: dict[str, Any]) -> None:
        self.tries += 1
        if self.tries <= self.failures:
            raise ConnectionRefusedError
        self.bodies.append((url, token, body))


def test_sources_and_destinations_are_told_together_with_the_token_of_the_run() -> None:
    told = Told()
    registration = Registration(surroundings(**IN_KIRBY), told)

    registration.source("sales")
    registration.destination("forecast")
    registration.end()

    assert told.bodies == [
        (
            "http://127.0.0.1:8642/registration",
            "kby_run",
            {
                "run": "pump/prod@2026-05-01T06:00:00Z",
                "sources": [{"kind": "topic", "name": "sales"}],
                "destinations": [{"kind": "topic", "name": "forecast"}],
            },
        )
    ]


def test_what_is_used_again_is_not_told_again() -> None:
    told = Told()
    registration = Registration(surroundings(**IN_KIRBY), told)

    for _ in range(100):
        registration.source("sales")
    registration.end()

    assert len(told.bodies) == 1


def test_outside_kirby_nothing_is_told() -> None:
    told = Told()
    registration = Registration(surroundings(), told)

    registration.source("sales")
    registration.end()

    assert told.tries == 0


def test_a_web_service_that_is_down_fails_nothing() -> None:
    told = Told(failures=100)
    registration = Registration(surroundings(**IN_KIRBY), told)

    registration.source("sales")
    registration.end()

    assert told.bodies == []


def test_a_web_service_that_hangs_holds_up_the_end_for_half_a_second_at_most() -> None:
    hangs = threading.Event()

    def hang(_url: str, _token: str, _body: dict[str, Any]) -> None:
        hangs.wait(60)

    registration = Registration(surroundings(**IN_KIRBY), hang)

    registration.source("sales")
    registration.end()  # returns: the test's own time limit is the proof
    hangs.set()

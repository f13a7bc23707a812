"""Builders for the shim's book: orders with defaults, and a book with one attempt in some phase."""

from typing import Any

from kirby.shim import effects, events
from kirby.shim.book import Book
from kirby.shim.effects import Effect
from kirby.shim.requests import Request

SECOND = 1_000_000_000
RUN = "pump/prod@2026-03-01T12:00:00Z"
DAEMON = "mill/prod#alpha"
KEY = (RUN, 1)
NOW = 1_000 * SECOND
DUE = NOW + 10 * SECOND
DEADLINE = DUE + 30 * SECOND


def request(**fields: Any) -> Request:
    """Return what a Runner sends to arm a run."""
    defaults: Request = {
        "incarnation": 7,
        "run": RUN,
        "attempt": 1,
        "context": "pump/prod",
        "kind": "run",
        "argv": ["/env/bin/python", "-m", "pump"],
        "env": {"SECRET": "sesame"},
        "not_before_boot_ns": DUE,
        "deadline_boot_ns": DEADLINE,
    }
    return {**defaults, **fields}


def daemon(**fields: Any) -> Request:
    """Return what an Arbiter's Watchdog sends to arm a daemon."""
    defaults: Request = {
        "run": DAEMON,
        "attempt": 0,
        "context": "mill/prod",
        "kind": "daemon",
        "not_before_boot_ns": 0,
        "deadline_boot_ns": 0,
    }
    return request(**{**defaults, **fields})


def arm(room: bool = True, **fields: Any) -> events.Arm:
    return events.Arm("arm", request(**fields), room)


def bar(room: bool = True, **fields: Any) -> events.Bar:
    return events.Bar("bar", {"incarnation": 7, "run": RUN, "attempt": 1, **fields}, room)


def stop(**fields: Any) -> events.Stop:
    return events.Stop("stop", {"incarnation": 7, "run": RUN, "attempt": 1, **fields})


def renew(lease_ends: int, incarnation: int = 7) -> events.Renew:
    fields: Request = {"incarnation": incarnation, "lease_ends_boot_ns": lease_ends}
    return events.Renew("renew", fields)


def hello(incarnation: int, log: str = "") -> events.Hello:
    return events.Hello("hello", {"incarnation": incarnation, "log": log})


def shipped(run: str = RUN, attempt: int = 1) -> events.Shipped:
    return events.Shipped("shipped", {"run": run, "attempt": attempt})


def end(with_scripts: bool = False) -> events.End:
    return events.End("end", {"with_scripts": with_scripts, "grace_ms": 1000})


def a_parked(book: Book | None = None, **fields: Any) -> Book:
    """Return a book that holds an attempt whose interpreter waits at the gate."""
    book = book or Book()
    taken = take_of(book.step(arm(**fields), NOW))
    book.step(events.Taken(taken.key, "/runs/pump", 4711, 99), NOW)
    return book


def a_releasing(**fields: Any) -> Book:
    """Return a book whose attempt is noted to be let go, on the disk."""
    book = a_parked(**fields)
    book.step(events.Tick(), DUE - 50_000_000)
    book.step(events.Synced(), DUE - 40_000_000)
    return book


def a_running(**fields: Any) -> Book:
    """Return a book whose attempt was let go at its due instant."""
    book = a_releasing(**fields)
    book.step(events.Tick(), DUE)
    return book


def gone(status: int | None = 0, **fields: Any) -> events.Gone:
    return events.Gone(KEY, status, **fields)


def take_of(done: list[Effect]) -> effects.Take:
    return next(effect for effect in done if isinstance(effect, effects.Take))


def answer_of(done: list[Effect]) -> dict[str, object]:
    return next(effect.fields for effect in done if isinstance(effect, effects.Answer))


def releases_of(done: list[Effect]) -> list[effects.Release]:
    return [effect for effect in done if isinstance(effect, effects.Release)]


def steps_of(done: list[Effect]) -> list[str]:
    return [str(effect.step["step"]) for effect in done if isinstance(effect, effects.Note)]


def note_of(done: list[Effect], step: str) -> Request:
    notes = [effect.step for effect in done if isinstance(effect, effects.Note)]
    return next(note for note in notes if note["step"] == step)


def deeds_of(done: list[Effect]) -> list[type[Effect]]:
    """Return what is done to processes, in order."""
    passive = (effects.Note, effects.Answer, effects.Remember, effects.KeepCounters)
    return [type(effect) for effect in done if not isinstance(effect, passive)]

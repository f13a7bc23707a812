"""Which services of a host are made anew, when, and what a person is told of it meanwhile.

A service that died is made anew at once, and ever more slowly when that goes wrong. Each is
undertaken by somebody else, who reports: nothing here, nor whoever steps it, waits for one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeAlias

from kirby.core.moment import Moment
from kirby.core.recreation import Lives, created, died

AGAIN_WHEN_IN_THE_WAY_S = 2.0  # what is in the way may go at any time, and it costs little to look


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """A service that is down and being mended."""

    since: datetime
    because: str
    tries: int = 0
    under_way: bool = False
    due: float = 0.0  # BOOTTIME of the next try, while none is under way


@dataclass(frozen=True, kw_only=True)
class Mending:
    """What a host knows of its services' lives, by their names."""

    lives: Mapping[str, Lives]
    troubles: Mapping[str, Trouble] = field(default_factory=dict)


# ---- events: what is seen, and what comes of a try


@dataclass(frozen=True, kw_only=True)
class Started:
    """A service runs: the host has just started it."""

    service: str


@dataclass(frozen=True, kw_only=True)
class FoundDead:
    """A service does not run."""

    service: str


@dataclass(frozen=True, kw_only=True)
class Mended:
    """A try has gone well."""

    service: str


@dataclass(frozen=True, kw_only=True)
class NotMended:
    """A try has failed."""

    service: str
    because: str


@dataclass(frozen=True, kw_only=True)
class InTheWay:
    """A try was not worth its trouble while something is in the way, which may go by itself."""

    service: str
    because: str


Event: TypeAlias = Started | FoundDead | Mended | NotMended | InTheWay


# ---- effects


@dataclass(frozen=True, kw_only=True)
class Undertake:
    """Make a service anew, without waiting for it."""

    service: str


@dataclass(frozen=True, kw_only=True)
class Say:
    """Tell whoever watches the host."""

    sentence: str


Effect: TypeAlias = Undertake | Say


def mending_of(services: Iterable[str]) -> Mending:
    """Return what is known before anything has been started."""
    return Mending(lives=dict.fromkeys(services, Lives()))


def step(mending: Mending, event: Event, now: Moment) -> tuple[Mending, list[Effect]]:
    """Take one event; return the next state and what is to be done.

    Raises:
        KeyError: an end of a try that nobody undertook (a bug).
    """
    name = event.service
    match event:
        case Started():
            return _with_life(mending, created(mending.lives[name], now.boot), name), []
        case FoundDead():
            return _found_dead(mending, name, now)
        case Mended():
            troubles = {other: t for other, t in mending.troubles.items() if other != name}
            mending = _with_life(mending, created(mending.lives[name], now.boot), name)
            return replace(mending, troubles=troubles), [Say(sentence=f"the {name} runs again")]
        case NotMended(because=because):
            # Of a try that failed no life came, however long it took.
            lives, wait = died(created(mending.lives[name], now.boot), now.boot)
            return _again(_with_life(mending, lives, name), name, because, now.boot + wait)
        case InTheWay(because=because):
            return _again(mending, name, because, now.boot + AGAIN_WHEN_IN_THE_WAY_S)


def wait_s(mending: Mending, now: Moment, most: float) -> float:
    """Return for how many seconds nothing is due, `most` at the most."""
    dues = [t.due - now.boot for t in mending.troubles.values() if not t.under_way]
    return max(0.0, min([most, *dues]))


def _found_dead(mending: Mending, name: str, now: Moment) -> tuple[Mending, list[Effect]]:
    trouble = mending.troubles.get(name)
    if trouble is None:
        lives, wait = died(mending.lives[name], now.boot)
        trouble = Trouble(since=now.wall, because="it ended", due=now.boot + wait)
        mending = _with_trouble(_with_life(mending, lives, name), trouble, name)
    if trouble.under_way or now.boot < trouble.due:
        return mending, []
    tried = replace(trouble, tries=trouble.tries + 1, under_way=True)
    say: list[Effect] = (
        [Say(sentence=f"the {name} ended; it is started anew")] if tried.tries == 1 else []
    )
    return _with_trouble(mending, tried, name), [*say, Undertake(service=name)]


def _again(mending: Mending, name: str, because: str, due: float) -> tuple[Mending, list[Effect]]:
    before = mending.troubles[name]
    trouble = replace(before, because=because, due=due, under_way=False)
    say: list[Effect] = [Say(sentence=f"the {name} cannot be started: {because}")]
    return _with_trouble(mending, trouble, name), say if because != before.because else []


def _with_life(mending: Mending, lives: Lives, name: str) -> Mending:
    return replace(mending, lives={**mending.lives, name: lives})


def _with_trouble(mending: Mending, trouble: Trouble, name: str) -> Mending:
    return replace(mending, troubles={**mending.troubles, name: trouble})

"""Which of several web services is asked: the nearest that answers, and then the same again."""

from dataclasses import dataclass, replace
from datetime import timedelta

BACK_AFTER = timedelta(minutes=1)  # one that failed is asked again before those named after it


@dataclass(frozen=True, kw_only=True)
class WebChoice:
    """The web services, the nearest first, and which of them is used since when."""

    urls: tuple[str, ...]
    used: int = 0
    moved: float = 0.0  # when the nearer ones failed last, by a clock that only goes forward

    @property
    def url(self) -> str:
        """Return the one that is used; empty where there is none."""
        return self.urls[self.used] if self.urls else ""


def order(choice: WebChoice, now: float) -> tuple[str, ...]:
    """Return in which order they are asked: the one in use first, after a while the nearest."""
    first = choice.used if now - choice.moved < BACK_AFTER.total_seconds() else 0
    return choice.urls[first:] + choice.urls[:first]


def answered(choice: WebChoice, url: str, now: float) -> WebChoice:
    """Take to the one that answered; where that is not the nearest, the nearer ones just failed."""
    used = choice.urls.index(url)
    if used == choice.used and now - choice.moved < BACK_AFTER.total_seconds():
        return choice
    return replace(choice, used=used, moved=now)

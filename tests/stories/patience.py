"""How a story waits: it looks until something is so, and says what it saw last when it never is."""

import time
from collections.abc import Callable
from textwrap import shorten
from typing import TypeVar

Seen = TypeVar("Seen")
LOOK_EVERY_S = 0.15
SHOWN = 2000  # characters of what was seen last
PATIENCE_S = 60.0  # ten times what anything here takes on two busy cores


def eventually(
    look: Callable[[], Seen],
    *,
    what: str,
    until: Callable[[Seen], bool] = bool,
    within_s: float = PATIENCE_S,
    every_s: float = LOOK_EVERY_S,
) -> Seen:
    """Look again and again until what is seen is as it should be; return that.

    Args:
        look: what to look at.
        what: what is waited for, for whoever reads the failure.
        until: whether it is as it should be.
        within_s: how long to look.
        every_s: how often.
    """
    deadline = time.monotonic() + within_s
    while not until(seen := look()):
        if time.monotonic() > deadline:
            last = shorten(repr(seen), SHOWN, placeholder=" …")
            raise AssertionError(f"{what}: not within {within_s:.0f} s; at last it was {last}")
        time.sleep(every_s)
    return seen

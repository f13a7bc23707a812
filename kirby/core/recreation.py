"""When a part that died is made anew: at once, but not in a storm of deaths at the start."""

from dataclasses import dataclass, replace

QUICK_DEATH_S = 10.0  # one that died sooner had hardly begun
FIRST_WAIT_S = 0.5
WAIT_MOST_S = 30.0


@dataclass(frozen=True, kw_only=True)
class Lives:
    """The lives of one part so far; instants in seconds of BOOTTIME."""

    created: float | None = None
    quick_deaths: int = 0  # one after the other
    recreated: int = 0


def created(lives: Lives, now: float) -> Lives:
    """Note that the part was made (anew)."""
    again = 0 if lives.created is None else 1
    return replace(lives, created=now, recreated=lives.recreated + again)


def died(lives: Lives, now: float) -> tuple[Lives, float]:
    """Note a death; return also for how many seconds to wait before the part is made anew."""
    if lives.created is None or now - lives.created >= QUICK_DEATH_S:
        return replace(lives, quick_deaths=0), 0.0
    deaths = lives.quick_deaths + 1
    wait = 0.0 if deaths == 1 else min(FIRST_WAIT_S * 2.0 ** min(deaths - 2, 16), WAIT_MOST_S)
    return replace(lives, quick_deaths=deaths), wait

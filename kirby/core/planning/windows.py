"""How long after its due instant a fire may still start: the start window (rule O2)."""

from datetime import datetime, timedelta

SHORTEST_DEFAULT = timedelta(seconds=30)
LONGEST_DEFAULT = timedelta(minutes=5)
ONE_SHOT = timedelta(minutes=5)  # also for caught-up and manual runs
LONGEST = timedelta(hours=1)  # Runners read an hour of offers when they begin (rule C1)


def default_window(due: datetime, following: datetime | None) -> timedelta:
    """Return the start window of a fire whose context lays down none.

    Args:
        due: the fire.
        following: the context's next fire; None where there is none (one-shot).
    """
    if following is None:
        return ONE_SHOT
    return min(max((following - due) / 2, SHORTEST_DEFAULT), LONGEST_DEFAULT)

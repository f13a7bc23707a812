"""How what the service answers is worded for a person: instants, durations, ends."""

from datetime import UTC, datetime, timedelta
from typing import Any

from rich.text import Text

from kirby.core.durations import write_took
from kirby.core.prose import tell_distance, tell_instant

DASH = "–"
STYLES = {
    "succeeded": "green",
    "failed": "red",
    "timed out": "red",
    "lost": "red",
    "missed": "yellow",
    "stopped": "yellow",
    "skipped": "dim",
    "running": "cyan",
    "crash loop": "red",
    "not installed": "red",
    "backing off": "yellow",
}


def instant(text: Any) -> datetime | None:
    """Read an instant of the service; None where there is none."""
    return datetime.fromisoformat(text) if text else None


def at(text: Any, now: datetime | None = None, zone: str = "UTC") -> str:
    """Tell an instant, with no more of the date than is needed."""
    moment = instant(text)
    return tell_instant(moment, now or datetime.now(UTC), zone) if moment is not None else DASH


def ago(text: Any) -> str:
    """Tell how long ago an instant is."""
    moment = instant(text)
    return tell_distance(moment, datetime.now(UTC)) if moment is not None else DASH


def took(seconds: Any) -> str:
    """Tell a duration in seconds."""
    return write_took(timedelta(seconds=seconds)) if seconds is not None else DASH


def late(microseconds: Any) -> str:
    """Tell how late a first line ran."""
    if microseconds is None:
        return DASH
    if microseconds < 1_000_000:
        return f"{microseconds / 1000:.1f} ms"
    return write_took(timedelta(microseconds=microseconds))


def styled(word: str) -> Text:
    """Colour the word for an end or a state."""
    return Text(word, style=STYLES.get(word, ""))

"""How instants and counts are told to people: "27 Dec 06:10", "in 5 min", "432 fires"."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from kirby.core.durations import write_duration
from kirby.core.nouns import Suspension
from kirby.core.planning.zones import zone

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
JUST_NOW = timedelta(seconds=1)
ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")


def tell_instant(at: datetime, now: datetime, zone_name: str = "UTC") -> str:
    """Tell an instant in a zone's local time, with no more of the date than is needed."""
    local, today = zone(zone_name).local(at), zone(zone_name).local(now)
    clock = f"{local:%H:%M:%S}" if local.second else f"{local:%H:%M}"
    if local.date() == today.date():
        return clock
    year = f" {local.year}" if local.year != today.year else ""
    return f"{local.day} {MONTHS[local.month - 1]}{year} {clock}"


def tell_distance(at: datetime, now: datetime) -> str:
    """Tell how far off an instant is: "in 5 min", "2 h 10 min ago", "now"."""
    distance = at - now
    if abs(distance) < JUST_NOW:
        return "now"
    text = _about(abs(distance))
    return f"in {text}" if distance > timedelta(0) else f"{text} ago"


def tell_next(dues: Sequence[datetime], now: datetime, zone_name: str = "UTC") -> str:
    """Tell the next fires: "next 14:10, then 14:20, 14:30"."""
    if not dues:
        return "never runs again"
    first, *rest = (tell_instant(due, now, zone_name) for due in dues)
    return f"next {first}, then {', '.join(rest)}" if rest else f"next {first}"


def tell_suspension(suspension: Suspension, now: datetime, zone_name: str = "UTC") -> str:
    """Tell a suspension that holds: 'suspended until 27 Dec 06:00 ("the shop is closed")'."""
    reason = f' ("{suspension.reason}")' if suspension.reason else ""
    return f"suspended until {tell_instant(suspension.end, now, zone_name)}{reason}"


def tell_count(count: int, noun: str, plural: str = "") -> str:
    """Tell how many: "1 fire", "1,432 fires"."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def tell_ordinal(number: int) -> str:
    """Tell which one of several: "first", "second", … and from ten on "10th"."""
    return ORDINALS[number - 1] if number <= len(ORDINALS) else f"{number}th"


def _about(distance: timedelta) -> str:
    """Write the two largest units of a distance, a day or more in days and hours."""
    seconds = round(distance.total_seconds())
    parts = write_duration(timedelta(seconds=seconds)).split()
    text = " ".join(parts[:4])
    days = parts[0] if len(parts) > 1 and parts[1] == "d" else ""
    return text.replace(f"{days} d", tell_count(int(days), "day"), 1) if days else text

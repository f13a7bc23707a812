"""How far local time is off UTC, and when that changes: time zones as stretches of one offset."""

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache, lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from kirby.core.errors import InvalidZone

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
DAY = 86_400  # seconds
# No zone has changed twice within so short a time; each look costs half a microsecond.
PROBE = DAY // 4
LONGEST_SHIFT = 2 * DAY  # Samoa and Kwajalein once moved by a day
SPAN = 400 * DAY  # looked through at a time, 2 ms


@dataclass(frozen=True, kw_only=True, slots=True)
class Stretch:
    """A stretch of one offset: from `start` (included) to `end`, in seconds of the epoch.

    `shift`: by how many seconds local time jumped forward at `start` (a gap), or 0.
    `repeats_until`: up to this instant the stretch repeats local times of the one before.
    """

    start: int
    end: int
    offset: int
    shift: int = 0
    repeats_until: int = 0


@dataclass(kw_only=True, eq=False)
class Zone:
    """A time zone; remembers the stretches that it was asked for."""

    name: str
    info: ZoneInfo
    spans: dict[int, tuple[Stretch, ...]] = field(default_factory=dict)
    latest: Stretch = Stretch(start=0, end=0, offset=0)

    def stretch(self, at: int) -> Stretch:
        """Return the stretch that an instant lies in; long ones are cut into spans of 400 days."""
        latest = self.latest  # read once: threads share the zones
        if latest.start <= at < latest.end:
            return latest  # most callers go forward in small steps
        index = at // SPAN
        if index not in self.spans:
            self.spans[index] = tuple(_stretches(self.info, index * SPAN, (index + 1) * SPAN))
        stretches = self.spans[index]
        found = self.latest = stretches[bisect_right(stretches, at, key=_start) - 1]
        return found

    def local(self, at: datetime) -> datetime:
        """Return an instant as people of the zone write it."""
        return at.astimezone(self.info)


@cache
def zone(name: str) -> Zone:
    """Return a time zone of the IANA database.

    Raises:
        InvalidZone: there is none of that name; the sentence names the nearest.
    """
    try:
        if name in _names():
            return Zone(name=name, info=ZoneInfo(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass  # a name that this machine lists and cannot read is no use either
    raise InvalidZone(f'time zone "{name}": there is none of that name{_hint(name)}')


def check_zone(name: str) -> str:
    """Return the name of a time zone, if there is one.

    Raises:
        InvalidZone: there is none of that name; the sentence names the nearest.
    """
    return zone(name).name


@lru_cache(maxsize=1)
def _names() -> frozenset[str]:
    return frozenset(name for name in available_timezones() if name != "localtime")


def _hint(name: str) -> str:
    by_lower = {known.lower(): known for known in sorted(_names())}
    by_lower |= {known.rpartition("/")[2].lower(): known for known in sorted(_names())}
    wanted = name.strip().lower().replace(" ", "_")
    near = get_close_matches(wanted, by_lower, n=1, cutoff=0.75)
    if near:
        return f"; did you mean {by_lower[near[0]]}?"
    return "; use a name such as Europe/Brussels or UTC"


def _start(stretch: Stretch) -> int:
    return stretch.start


def _stretches(info: ZoneInfo, begin: int, end: int) -> Iterator[Stretch]:
    """Cut [begin, end) into stretches of one offset."""
    changes = [at for at in _changes(info, begin - LONGEST_SHIFT, end) if at < end]
    edges = sorted({begin, *(at for at in changes if at > begin)})
    for start, until in zip(edges, [*edges[1:], end], strict=True):
        yield _stretch(info, start, until, max((at for at in changes if at <= start), default=None))


def _stretch(info: ZoneInfo, start: int, end: int, changed: int | None) -> Stretch:
    """Describe a stretch, with what the latest change before it means for it."""
    offset = _offset(info, start)
    if changed is None:
        return Stretch(start=start, end=end, offset=offset)
    shift = offset - _offset(info, changed - 1)
    return Stretch(
        start=start,
        end=end,
        offset=offset,
        shift=shift if shift > 0 and changed == start else 0,
        repeats_until=changed - shift if shift < 0 else 0,
    )


def _changes(info: ZoneInfo, begin: int, end: int) -> Iterator[int]:
    """Give the instants in [begin, end) at which the offset changes."""
    before = _offset(info, begin - 1)
    for at in range(begin, end + PROBE, PROBE):
        after = _offset(info, at)
        if after != before:
            yield _change_between(info, at - PROBE, at)
        before = after


def _change_between(info: ZoneInfo, low: int, high: int) -> int:
    """Return the first second with the offset of `high`; that of `low` is another."""
    wanted = _offset(info, high)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _offset(info, middle) == wanted else (middle, high)
    return high


def _offset(info: ZoneInfo, at: int) -> int:
    offset = (EPOCH + timedelta(seconds=at)).astimezone(info).utcoffset()
    return round(offset.total_seconds()) if offset is not None else 0

"""An independent oracle of due instants: croniter, asked in UTC second by second."""

from collections.abc import Iterable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from croniter import croniter

from tests.stories.ledger import Run, stands_for

Line = tuple[str, str]  # cron, time zone


def due_instants(lines: Iterable[Line], since: datetime, until: datetime) -> list[datetime]:
    """Return what is due after `since` and until `until`, each instant once, in order."""
    found: set[datetime] = set()
    for cron, zone in lines:
        found.update(_of_line(cron, zone, since, until))
    return sorted(found)


def without_an_end(due: Iterable[datetime], fires: Iterable[Run]) -> list[datetime]:
    """Return the due instants that no ended run and no stretch stands for."""
    ended = [fire for fire in fires if fire["end"]]
    return [each for each in due if not any(stands_for(fire, each) for fire in ended)]


def _of_line(cron: str, zone: str, since: datetime, until: datetime) -> Iterable[datetime]:
    """Yield by local time; story-length windows hold no change of the clocks."""
    seconds_first = len(cron.split()) == 6
    local = since.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
    away = since.astimezone(ZoneInfo(zone)).utcoffset()
    assert away is not None
    expression = croniter(cron, local, second_at_beginning=seconds_first)
    while (due := expression.get_next(datetime) - away) <= until.replace(tzinfo=None):
        yield due.replace(tzinfo=UTC)

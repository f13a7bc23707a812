"""Fifty scheduled contexts of all kinds, drawn from a seed: what the stories of schedules run."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.stories.jobs import Job, errand
from tests.stories.schedules import Line

ZONES = ("UTC", "Europe/Brussels", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe")
OFTEN = ("*/10 * * * * *", "5/10 * * * * *", "3,13,23,33,43,53 * * * * *")
SELDOM = ("* * * * *", "*/1 * * * *", "30 * * * * *", "0-59 * * * *")


@dataclass(frozen=True, kw_only=True)
class Planned:
    """One of the fifty: its schedules, and the window in which it is suspended, if any."""

    name: str
    lines: tuple[Line, ...]
    suspended: tuple[datetime, datetime] | None = None

    @property
    def context(self) -> str:
        return f"{self.name}/prod"

    def job(self, **context: Any) -> Job:
        lines: list[Mapping[str, str]] = [{"cron": cron, "zone": zone} for cron, zone in self.lines]
        return errand("succeed", *lines, **context)

    def suspension(self) -> dict[str, Any]:
        assert self.suspended is not None
        start, end = self.suspended
        return {"context": self.context, "from": start, "to": end, "reason": "the oven rests"}

    def rests(self, due: datetime) -> bool:
        return self.suspended is not None and self.suspended[0] <= due < self.suspended[1]


def plan_fifty(chance: random.Random, now: datetime, seconds: float) -> tuple[Planned, ...]:
    """Draw the fifty of a story that begins now and lasts so long."""
    return tuple(plan_one(chance, number, now, seconds) for number in range(50))


def plan_one(chance: random.Random, number: int, now: datetime, seconds: float) -> Planned:
    """Half fire each ten seconds, half each minute; some have both; some rest for a while."""
    crons = [chance.choice(OFTEN if number % 2 else SELDOM)]
    if number % 5 == 0:
        crons.append(chance.choice(OFTEN))
    lines = {(cron, chance.choice(ZONES)) for cron in crons}
    suspended = None
    if number % 4 == 1:
        start = now + timedelta(seconds=round(seconds * chance.uniform(0.2, 0.5)))
        suspended = (start, start + timedelta(seconds=round(seconds * chance.uniform(0.2, 0.4))))
    return Planned(name=f"oven-{number:02}", lines=tuple(sorted(lines)), suspended=suspended)

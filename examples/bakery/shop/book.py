"""What the shop knows: which sales it handed out, what was baked, what was left, what was earned.

Time in the shop goes by while it is open: one day of business takes `day_seconds`. While the
program is down, so is the shop, and it goes on after the last sale that it handed out.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from .journal import Journal
from .year import FIRST_DAY, Sale, day_of, sales_of, share_of_day

KINDS = ("production", "stock", "profit")


class Unfit(ValueError):
    """What was written to the shop lacks something; the message says what."""


class Book:
    """All of it, kept in a journal."""

    def __init__(self, journal: Journal, *, seed: int, day_seconds: float) -> None:
        self.day_seconds = day_seconds
        self.seed = seed
        self._journal = journal
        self._handed_out: dict[int, set[int]] = defaultdict(set)  # day: ids
        self._written: dict[str, dict[str, dict[str, Any]]] = {kind: {} for kind in KINDS}
        for entry in journal.take_entries():
            self._take(entry)
        if not self._handed_out:
            journal.write({"seed": seed})
        self._base = self._progress()

    # -- sales

    def sales(self, *, after: int, limit: int, open_seconds: float) -> list[Sale]:
        """Hand out what has happened after a sale; it is noted before it is returned.

        Args:
            after: the id of the last sale that is known.
            limit: how many at most.
            open_seconds: for how long the shop has been open in this life of the program.
        """
        found: list[Sale] = []
        for sale in self._since(after, self._base + open_seconds / self.day_seconds):
            if len(found) == limit:
                break
            found.append(sale)
        new = [sale for sale in found if sale.id not in self._handed_out[day_of(sale.id)]]
        if new:
            self._write({"handed_out": [new[0].id, new[-1].id]})
        return found

    # -- what others write

    def write(self, kind: str, key: str, record: dict[str, Any]) -> None:
        """Keep what was written under a key; the last one counts, so a repetition is harmless."""
        _check(kind, record)
        if self._written[kind].get(key) != record:
            self._write({kind: record, "key": key})

    def written(self, kind: str) -> dict[str, dict[str, Any]]:
        """Return all records of a kind by their keys."""
        return dict(self._written[kind])

    def summary(self) -> dict[str, dict[str, Any]]:
        """Return what each day comes to, by what the shop itself handed out and was told."""
        days = {self._date(day): _Day() for day in sorted(self._handed_out)}
        for day, ids in self._handed_out.items():
            total = days[self._date(day)]
            for sale in sales_of(self.seed, day):
                if sale.id in ids:
                    total.sales += 1
                    total.revenue += sale.amount
        for record in self._written["production"].values():
            days.setdefault(record["day"], _Day()).cost += Decimal(record["cost"])
        for record in self._written["stock"].values():
            days.setdefault(record["day"], _Day()).salvage += Decimal(record["worth"])
        return {day: days[day].as_json(day) for day in sorted(days)}

    def newest(self) -> int:
        """Return the id of the latest sale handed out; 0: none."""
        return max((max(ids) for ids in self._handed_out.values() if ids), default=0)

    # -- inside

    def _write(self, entry: dict[str, Any]) -> None:
        self._journal.write(entry)
        self._take(entry)

    def _take(self, entry: dict[str, Any]) -> None:
        if "seed" in entry:
            self.seed = entry["seed"]
        elif "handed_out" in entry:
            first, last = entry["handed_out"]
            for day in range(day_of(first), day_of(last) + 1):
                self._handed_out[day].update(
                    sale.id for sale in sales_of(self.seed, day) if first <= sale.id <= last
                )
        else:
            kind = next(kind for kind in KINDS if kind in entry)
            self._written[kind][entry["key"]] = entry[kind]

    def _since(self, after: int, progress: float) -> Iterator[Sale]:
        for day in range(day_of(after), int(progress) + 1):
            for sale in sales_of(self.seed, day):
                if sale.id > after and day + share_of_day(sale) <= progress:
                    yield sale

    def _progress(self) -> float:
        """Return how many days of business are over by the latest sale handed out."""
        newest = self.newest()
        for sale in sales_of(self.seed, day_of(newest)):
            if sale.id == newest:
                return day_of(newest) + share_of_day(sale)
        return 0.0

    def _date(self, day: int) -> str:
        return (FIRST_DAY + timedelta(days=day)).isoformat()


class _Day:
    def __init__(self) -> None:
        self.sales = 0
        self.revenue = self.cost = self.salvage = Decimal("0.00")

    def as_json(self, day: str) -> dict[str, Any]:
        return {
            "day": day,
            "sales": self.sales,
            "revenue": str(self.revenue),
            "cost": str(self.cost),
            "salvage": str(self.salvage),
            "profit": str(self.revenue - self.cost + self.salvage),
        }


_AMOUNTS = {
    "production": ("cost",),
    "stock": ("worth",),
    "profit": ("revenue", "cost", "salvage", "profit"),
}


def _check(kind: str, record: dict[str, Any]) -> None:
    try:
        date.fromisoformat(record["day"])
        for name in _AMOUNTS[kind]:
            Decimal(record[name])
    except KeyError as missing:
        raise Unfit(f"{kind} needs {missing}") from None
    except (ArithmeticError, TypeError, ValueError):
        raise Unfit(f"{kind}: the day must be a date, and amounts decimal numbers") from None

"""The join: sales, productions and surpluses of each day, and what the day earned."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import msgspec

ZERO = Decimal("0.00")


class Sale(msgspec.Struct):
    """What the accounts need of a sale."""

    id: int
    day: date
    amount: Decimal


class Production(msgspec.Struct):
    """What the accounts need of a production."""

    id: str
    day: date
    cost: Decimal


class Surplus(msgspec.Struct):
    """What the accounts need of a surplus."""

    id: str
    day: date
    worth: Decimal


class Profit(msgspec.Struct, kw_only=True):
    """What a day earned."""

    id: str  # the day
    day: date
    sales: int
    revenue: Decimal
    cost: Decimal
    salvage: Decimal
    profit: Decimal


@dataclass
class Accounts:
    """All amounts by day and id, so that whatever comes again counts once, the last one of it."""

    _sold: dict[date, dict[int, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    _baked: dict[date, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    _left: dict[date, dict[str, Decimal]] = field(default_factory=lambda: defaultdict(dict))
    _changed: set[date] = field(default_factory=set)
    _incomplete: date = date.min  # days up to here have lost records

    def take(self, record: Sale | Production | Surplus) -> None:
        """Take a record of one of the three topics into account."""
        match record:
            case Sale():
                self._sold[record.day][record.id] = record.amount
            case Production():
                self._baked[record.day][record.id] = record.cost
            case Surplus():
                self._left[record.day][record.id] = record.worth
        self._changed.add(record.day)

    def forget_up_to(self, day: date) -> None:
        """Take note that records up to this day are no longer kept: these days stay as they are."""
        self._incomplete = max(day, self._incomplete)

    def changed(self) -> Iterator[Profit]:
        """Return the days that have changed since they were last asked for."""
        changed, self._changed = sorted(self._changed), set()
        return (self._profit_of(day) for day in changed if day > self._incomplete)

    def _profit_of(self, day: date) -> Profit:
        revenue = sum(self._sold[day].values(), ZERO)
        cost = sum(self._baked[day].values(), ZERO)
        salvage = sum(self._left[day].values(), ZERO)
        return Profit(
            id=day.isoformat(),
            day=day,
            sales=len(self._sold[day]),
            revenue=revenue,
            cost=cost,
            salvage=salvage,
            profit=revenue - cost + salvage,
        )

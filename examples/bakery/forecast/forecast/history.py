"""What was sold lately, by product and day, and what may be expected from it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec

KEPT_DAYS = 15  # two weeks, and the day that has begun
SAME_WEEKDAY = 3.0  # what a day of the same weekday counts, where another counts 1
FIRST_GUESS = 12.0  # pieces, for a product without a history


class Sale(msgspec.Struct):
    """What a forecast needs of a sale."""

    id: int
    day: date
    product: str
    quantity: int


class Forecast(msgspec.Struct, kw_only=True):
    """What is expected to be sold of a product on a day."""

    id: str  # day and product: a forecast that is sent again replaces the first
    day: date
    product: str
    expected: float
    days: int  # of history it was made from


@dataclass
class History:
    """The sales of the last two weeks. A sale that comes again counts once."""

    _sold: dict[str, dict[date, dict[int, int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )

    def add(self, sale: Sale) -> None:
        """Take a sale into account, and forget what is too old for it."""
        days = self._sold[sale.product]
        days[sale.day][sale.id] = sale.quantity
        oldest = sale.day - timedelta(days=KEPT_DAYS)
        for day in [day for day in days if day < oldest]:
            del days[day]

    def opens_day(self, sale: Sale) -> bool:
        """Tell whether it is the first sale of its product that day: the day before is over."""
        return min(self._sold[sale.product][sale.day]) == sale.id

    def forecast(self, sale: Sale) -> Forecast:
        """Forecast the day after this sale, from the days before it."""
        day = sale.day + timedelta(days=1)
        totals = {
            each: sum(quantities.values())
            for each, quantities in self._sold[sale.product].items()
            if each < sale.day
        }
        weights = {
            each: SAME_WEEKDAY if each.weekday() == day.weekday() else 1.0 for each in totals
        }
        weighed = sum(totals[each] * weights[each] for each in totals)
        return Forecast(
            id=f"{day}/{sale.product}",
            day=day,
            product=sale.product,
            expected=round(weighed / sum(weights.values()), 2) if totals else FIRST_GUESS,
            days=len(totals),
        )

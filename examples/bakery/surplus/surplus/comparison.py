"""What is left of each day: baked less sold, for the days that are over."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

import msgspec

SALVAGE = Decimal("0.25")  # of its cost, for what goes to the farm the day after


class Sale(msgspec.Struct):
    """What the comparison needs of a sale."""

    id: int
    day: date
    product: str
    quantity: int


class Production(msgspec.Struct):
    """What the comparison needs of a production."""

    id: str
    day: date
    product: str
    quantity: int
    unit_cost: Decimal


class Surplus(msgspec.Struct, kw_only=True):
    """What is left of a product at the end of a day; below zero: so many were asked for in vain."""

    id: str  # day and product: a figure that is corrected replaces the first
    day: date
    product: str
    quantity: int
    worth: Decimal


@dataclass
class Comparison:
    """The sales and productions of a window. Whatever comes again counts once, by its id."""

    _sold: dict[str, dict[date, dict[int, int]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(dict))
    )
    _baked: dict[str, Production] = field(default_factory=dict)

    def sold(self, sale: Sale) -> None:
        """Take a sale into account."""
        self._sold[sale.product][sale.day][sale.id] = sale.quantity

    def baked(self, production: Production) -> None:
        """Take a production into account; a later one of the same id replaces it."""
        self._baked[production.id] = production

    def surpluses(self, reported: Iterable[Surplus]) -> Iterator[Surplus]:
        """Return what is not reported yet, or not with this figure, of days wholly in the window.

        A product's day is whole when there are sales of it on an earlier and on a later day: the
        window begins and ends somewhere within a day.
        """
        last = {surplus.id: surplus for surplus in reported}
        for production in self._baked.values():
            days = self._sold[production.product]
            if days and min(days) < production.day < max(days):
                surplus = _surplus_of(production, sum(days.get(production.day, {}).values()))
                if last.get(surplus.id) != surplus:
                    yield surplus


def _surplus_of(production: Production, sold: int) -> Surplus:
    left = production.quantity - sold
    return Surplus(
        id=production.id,
        day=production.day,
        product=production.product,
        quantity=left,
        worth=(max(0, left) * production.unit_cost * SALVAGE).quantize(Decimal("0.01")),
    )

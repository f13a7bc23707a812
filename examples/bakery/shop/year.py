"""A plausible year of sales, drawn from a seed: day by day, the same for the same seed."""

import math
import random
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache

FIRST_DAY = date(2025, 1, 1)
OPENS, CLOSES = time(7), time(19)
OPEN_SECONDS = 12 * 3600
IDS_PER_DAY = 1000  # a sale's id is the number of its day, then its own number in that day


@dataclass(frozen=True, kw_only=True)
class Product:
    """What the bakery sells. `tray`: how many are baked at once."""

    name: str
    price: Decimal
    unit_cost: Decimal
    tray: int
    buyers: float  # a day, on the average
    summer: float  # how much more (or less) of it is sold in July than in January


PRODUCTS = (
    Product(
        name="bread",
        price=Decimal("3.20"),
        unit_cost=Decimal("1.10"),
        tray=6,
        buyers=14,
        summer=-0.1,
    ),
    Product(
        name="croissant",
        price=Decimal("1.40"),
        unit_cost=Decimal("0.45"),
        tray=12,
        buyers=11,
        summer=0.1,
    ),
    Product(
        name="baguette",
        price=Decimal("1.60"),
        unit_cost=Decimal("0.50"),
        tray=10,
        buyers=9,
        summer=0.3,
    ),
    Product(
        name="cake",
        price=Decimal("18.00"),
        unit_cost=Decimal("6.50"),
        tray=2,
        buyers=2,
        summer=-0.3,
    ),
)
OF_WEEKDAY = (0.8, 0.9, 0.95, 1.0, 1.15, 1.5, 1.2)  # Monday first
RAINY = 0.75  # people stay at home
RAIN_IN_WINTER, RAIN_IN_SUMMER = 0.45, 0.2  # of the days


@dataclass(frozen=True, kw_only=True)
class Sale:
    """One product over the counter, once or several times."""

    id: int
    at: datetime
    product: str
    quantity: int
    unit_price: Decimal

    @property
    def day(self) -> date:
        """Return the day of the sale."""
        return self.at.date()

    @property
    def amount(self) -> Decimal:
        """Return what was paid."""
        return self.unit_price * self.quantity

    def as_json(self) -> dict[str, object]:
        """Return it as the web service gives it."""
        return {
            "id": self.id,
            "day": self.day.isoformat(),
            "at": f"{self.at.isoformat()}Z",
            "product": self.product,
            "quantity": self.quantity,
            "unit_price": str(self.unit_price),
            "amount": str(self.amount),
        }


@lru_cache(maxsize=500)
def sales_of(seed: int, day: int) -> tuple[Sale, ...]:
    """Return the sales of a day (0 is `FIRST_DAY`) in the order in which they happen."""
    chance = random.Random(f"{seed}/{day}")
    on = FIRST_DAY + timedelta(days=day)
    summer = (1 - math.cos(2 * math.pi * (on.timetuple().tm_yday - 15) / 365)) / 2
    rain = RAIN_IN_WINTER + summer * (RAIN_IN_SUMMER - RAIN_IN_WINTER)
    mood = OF_WEEKDAY[on.weekday()] * (RAINY if chance.random() < rain else 1.0)
    drawn = sorted(
        (_moment(chance), product.name, chance.choices((1, 2, 3, 4), (60, 25, 10, 5))[0])
        for product in PRODUCTS
        for _ in range(_buyers(chance, product.buyers * mood * (1 + product.summer * summer)))
    )
    prices = {product.name: product.price for product in PRODUCTS}
    opening = datetime.combine(on, OPENS)
    return tuple(
        Sale(
            id=day * IDS_PER_DAY + number,
            at=opening + timedelta(seconds=second),
            product=product,
            quantity=quantity,
            unit_price=prices[product],
        )
        for number, (second, product, quantity) in enumerate(drawn, start=1)
    )


def day_of(sale_id: int) -> int:
    """Return the number of the day of a sale."""
    return sale_id // IDS_PER_DAY


def share_of_day(sale: Sale) -> float:
    """Return how much of the opening hours is over when it happens: 0 to 1."""
    opening = datetime.combine(sale.day, OPENS)
    return (sale.at - opening).total_seconds() / OPEN_SECONDS


def _buyers(chance: random.Random, expected: float) -> int:
    return max(0, round(chance.gauss(expected, math.sqrt(expected))))


def _moment(chance: random.Random) -> int:
    """Draw a second of the opening hours: many come for breakfast, some after work."""
    middle = chance.choice((1.5, 1.5, 5.0, 10.5))
    hour = min(max(chance.gauss(middle, 1.2), 0.0), 11.999)
    return int(hour * 3600)

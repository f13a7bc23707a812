"""How much is baked of what is expected to be sold."""

import math
from datetime import date
from decimal import Decimal

import msgspec

RESERVE = 1.1  # an empty shelf costs more than a loaf too many


class Forecast(msgspec.Struct):
    """What production needs of a forecast."""

    day: date
    product: str
    expected: float


class Product(msgspec.Struct):
    """What the shop says of a product."""

    unit_cost: Decimal
    tray: int


class Production(msgspec.Struct, kw_only=True):
    """What is baked of a product for a day."""

    id: str  # day and product: what is decided again replaces the first
    day: date
    product: str
    quantity: int
    unit_cost: Decimal
    cost: Decimal


def production_of(forecast: Forecast, product: Product) -> Production:
    """Bake a little more than expected, and whole trays."""
    trays = math.ceil(forecast.expected * RESERVE / product.tray)
    quantity = max(1, trays) * product.tray
    return Production(
        id=f"{forecast.day}/{forecast.product}",
        day=forecast.day,
        product=forecast.product,
        quantity=quantity,
        unit_cost=product.unit_cost,
        cost=product.unit_cost * quantity,
    )

"""What the bakery's scripts decide: forecasts, batches, surpluses, profits, and the check."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from examples.bakery.check import compare, finished_days
from examples.bakery.forecast.forecast import history as f
from examples.bakery.forecast.forecast.follower import Follower
from examples.bakery.production.production import baking as b
from examples.bakery.profit.profit import accounts as a
from examples.bakery.surplus.surplus import comparison as c

MONDAY = date(2025, 1, 6)


def on(days: int) -> date:
    return MONDAY + timedelta(days=days)


class TestForecast:
    def sale(self, number: int, day: int, quantity: int = 1, product: str = "bread") -> f.Sale:
        return f.Sale(id=number, day=on(day), product=product, quantity=quantity)

    def test_the_next_day_is_forecast_from_the_days_before(self) -> None:
        history = f.History()
        for sale in (self.sale(1, 0, 10), self.sale(2, 1, 20)):
            history.add(sale)
        first_of_the_third_day = self.sale(3, 2, 4)
        history.add(first_of_the_third_day)

        forecast = history.forecast(first_of_the_third_day)

        assert (forecast.id, forecast.day, forecast.days) == ("2025-01-09/bread", on(3), 2)
        assert forecast.expected == 15.0

    def test_the_same_weekday_counts_more(self) -> None:
        history = f.History()
        for day in range(7):
            history.add(self.sale(day, day, 70 if day == 0 else 10))

        forecast = history.forecast(self.sale(6, 6))

        assert forecast.day.weekday() == 0
        assert forecast.expected == round((3 * 70 + 5 * 10) / 8, 2)

    def test_a_product_without_a_history_gets_a_first_guess(self) -> None:
        history = f.History()
        history.add(self.sale(1, 0))

        assert history.forecast(self.sale(1, 0)).expected == f.FIRST_GUESS

    def test_a_sale_that_comes_again_counts_once_and_opens_its_day_again(self) -> None:
        history = f.History()
        for sale in (self.sale(1, 0, 10), self.sale(1, 0, 10), self.sale(2, 1)):
            history.add(sale)

        assert history.forecast(self.sale(2, 1)).expected == 10.0
        assert history.opens_day(self.sale(1, 0))

    def test_only_the_first_sale_of_a_product_opens_its_day(self) -> None:
        history = f.History()
        for number in (1, 2):
            history.add(self.sale(number, 0))
        history.add(self.sale(3, 0, product="cake"))

        opened = [history.opens_day(self.sale(number, 0)) for number in (1, 2)]

        assert opened == [True, False]
        assert history.opens_day(self.sale(3, 0, product="cake"))

    def test_what_is_older_than_two_weeks_is_forgotten(self) -> None:
        history = f.History()
        for day in range(40):
            history.add(self.sale(day, day))

        assert history.forecast(self.sale(39, 39)).days == f.KEPT_DAYS

    def test_a_gap_in_a_partition_is_noticed(self) -> None:
        follower = Follower()
        follower.note(partition=3, offset=7)

        assert not follower.misses_some_before(3, 7)
        assert not follower.misses_some_before(3, 8)
        assert follower.misses_some_before(3, 9)
        assert not follower.misses_some_before(4, 0)
        assert follower.misses_some_before(4, 1)


@pytest.mark.parametrize(
    ("expected", "quantity"), [(0.0, 6), (5.0, 6), (5.5, 12), (12.0, 18), (16.3, 18)]
)
def test_whole_trays_are_baked_with_a_reserve(expected: float, quantity: int) -> None:
    forecast = b.Forecast(day=MONDAY, product="bread", expected=expected)

    production = b.production_of(forecast, b.Product(unit_cost=Decimal("1.10"), tray=6))

    assert production.quantity == quantity
    assert production.cost == Decimal("1.10") * quantity
    assert production.id == "2025-01-06/bread"


class TestSurplus:
    def comparison(self, *, sold: dict[int, int], baked: dict[int, int]) -> c.Comparison:
        comparison = c.Comparison()
        for day, quantity in sold.items():
            comparison.sold(c.Sale(id=day, day=on(day), product="bread", quantity=quantity))
        for day, quantity in baked.items():
            comparison.baked(
                c.Production(
                    id=f"{on(day)}/bread",
                    day=on(day),
                    product="bread",
                    quantity=quantity,
                    unit_cost=Decimal("1.10"),
                )
            )
        return comparison

    def test_what_is_left_is_baked_less_sold_of_the_days_that_are_whole(self) -> None:
        comparison = self.comparison(sold={0: 1, 1: 8, 2: 1}, baked={0: 12, 1: 12, 2: 12})

        [surplus] = comparison.surpluses([])

        assert (surplus.day, surplus.quantity) == (on(1), 4)
        assert surplus.worth == Decimal("1.10")

    def test_a_day_without_sales_between_two_with_some_leaves_everything(self) -> None:
        comparison = self.comparison(sold={0: 1, 2: 1}, baked={1: 12})

        assert [surplus.quantity for surplus in comparison.surpluses([])] == [12]

    def test_what_is_lacking_is_worth_nothing(self) -> None:
        [surplus] = self.comparison(sold={0: 1, 1: 15, 2: 1}, baked={1: 12}).surpluses([])

        assert (surplus.quantity, surplus.worth) == (-3, Decimal("0.00"))

    def test_what_is_reported_is_not_reported_again_unless_it_has_changed(self) -> None:
        comparison = self.comparison(sold={0: 1, 1: 8, 2: 1}, baked={1: 12})
        reported = list(comparison.surpluses([]))

        again = list(comparison.surpluses(reported))
        comparison.sold(c.Sale(id=99, day=on(1), product="bread", quantity=1))
        [corrected] = comparison.surpluses(reported)

        assert again == []
        assert (corrected.id, corrected.quantity) == (reported[0].id, 3)


class TestProfit:
    def test_a_day_earns_what_was_sold_less_what_was_baked_plus_what_was_left(self) -> None:
        accounts = a.Accounts()
        accounts.take(a.Sale(id=1, day=MONDAY, amount=Decimal("10.00")))
        accounts.take(a.Production(id="x", day=MONDAY, cost=Decimal("4.00")))
        accounts.take(a.Surplus(id="x", day=MONDAY, worth=Decimal("0.50")))

        [profit] = accounts.changed()

        assert (profit.sales, profit.profit) == (1, Decimal("6.50"))

    def test_what_comes_again_counts_once_and_a_correction_replaces(self) -> None:
        accounts = a.Accounts()
        for _ in range(2):
            accounts.take(a.Sale(id=1, day=MONDAY, amount=Decimal("10.00")))
        for cost in ("4.00", "5.00"):
            accounts.take(a.Production(id="x", day=MONDAY, cost=Decimal(cost)))

        [profit] = accounts.changed()

        assert (profit.revenue, profit.cost) == (Decimal("10.00"), Decimal("5.00"))

    def test_only_days_that_have_changed_are_told(self) -> None:
        accounts = a.Accounts()
        accounts.take(a.Sale(id=1, day=MONDAY, amount=Decimal("10.00")))
        list(accounts.changed())

        accounts.take(a.Sale(id=2, day=on(1), amount=Decimal("1.00")))

        assert [profit.day for profit in accounts.changed()] == [on(1)]
        assert list(accounts.changed()) == []

    def test_days_that_have_lost_records_are_left_as_they_were_told(self) -> None:
        accounts = a.Accounts()
        accounts.forget_up_to(MONDAY)
        for number, day in enumerate((MONDAY, on(1))):
            accounts.take(a.Sale(id=number, day=day, amount=Decimal("10.00")))

        assert [profit.day for profit in accounts.changed()] == [on(1)]


class TestCheck:
    def facts(self, **given: Any) -> dict[str, Any]:
        facts = {"sales": 2, "revenue": "5.00", "cost": "1.00", "salvage": "0.00"}
        return {**facts, "profit": "4.00", **given}

    def test_the_same_numbers_agree_however_they_are_written(self) -> None:
        days = {"2025-01-06": self.facts()}

        assert compare(days, {"2025-01-06": self.facts(revenue="5.0")}) == []

    def test_each_number_that_differs_is_told(self) -> None:
        days = {"2025-01-06": self.facts(), "2025-01-07": self.facts()}

        differences = compare(days, {"2025-01-06": self.facts(sales=1, revenue="4.00")})

        assert differences == [
            "2025-01-06  sales: profit says 1, the shop 2",
            "2025-01-06  revenue: profit says 4.00, the shop 5.00",
            "2025-01-07  profit has no such day; the shop: 4.00",
        ]

    def test_the_newest_day_and_days_without_sales_are_not_over(self) -> None:
        summary = {
            "2025-01-06": self.facts(),
            "2025-01-07": self.facts(),
            "2025-01-08": self.facts(sales=0),
        }

        assert finished_days(summary) == ["2025-01-06"]

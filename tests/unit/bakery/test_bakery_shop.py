"""The shop: plausible sales, handed out as time goes by, and nothing forgotten over a crash."""

import json
from collections import Counter
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from examples.bakery.shop.book import Book, Unfit
from examples.bakery.shop.journal import Journal
from examples.bakery.shop.server import Shop
from examples.bakery.shop.year import PRODUCTS, sales_of

DAY_SECONDS = 10.0
FAR = 1000.0


def a_book(folder: Path, *, seed: int = 7) -> Book:
    return Book(Journal(folder / "book.jsonl"), seed=seed, day_seconds=DAY_SECONDS)


def ids(book: Book, *, after: int = 0, limit: int = 1000, days: float = 3.0) -> list[int]:
    found = book.sales(after=after, limit=limit, open_seconds=days * DAY_SECONDS)
    return [sale.id for sale in found]


def a_profit(**given: Any) -> dict[str, Any]:
    record = {"id": "2025-01-01", "day": "2025-01-01", "sales": 1, "revenue": "1.00"}
    return {**record, "cost": "0.00", "salvage": "0.00", "profit": "1.00", **given}


def test_the_same_seed_gives_the_same_year() -> None:
    assert sales_of(7, 100) == sales_of(7, 100)
    assert sales_of(7, 100) != sales_of(8, 100)


def test_ids_and_instants_of_a_day_rise_together() -> None:
    sales = sales_of(7, 4)

    assert [sale.id for sale in sales] == list(range(4001, 4001 + len(sales)))
    assert [sale.at for sale in sales] == sorted(sale.at for sale in sales)
    assert {sale.day for sale in sales} == {date(2025, 1, 5)}


def test_more_is_sold_on_saturdays_than_on_mondays() -> None:
    by_weekday: Counter[int] = Counter()
    for day in range(364):
        by_weekday[sales_of(7, day)[0].day.weekday()] += len(sales_of(7, day))

    assert by_weekday[5] > 1.3 * by_weekday[0]


def test_every_product_is_sold() -> None:
    sold = {sale.product for day in range(30) for sale in sales_of(7, day)}

    assert sold == {product.name for product in PRODUCTS}


def test_sales_are_handed_out_as_the_day_goes_by(tmp_path: Path) -> None:
    book = a_book(tmp_path)

    at_first, later = ids(book, days=0.3), ids(book, days=1.3)

    assert 0 < len(at_first) < len(later)
    assert later[: len(at_first)] == at_first
    assert max(at_first) < 1000 < max(later)


def test_a_limit_leaves_the_rest_for_the_next_time(tmp_path: Path) -> None:
    book = a_book(tmp_path)

    first = ids(book, limit=10)
    second = ids(book, after=first[-1], limit=10)

    assert len(first) == len(second) == 10
    assert [*first, *second] == ids(book, limit=20)


def test_what_was_handed_out_is_known_after_a_crash(tmp_path: Path) -> None:
    before = a_book(tmp_path)
    handed_out = ids(before, limit=50)

    after = a_book(tmp_path, seed=8)

    assert after.newest() == handed_out[-1]
    assert sum(day["sales"] for day in after.summary().values()) == 50
    assert after.seed == 7


def test_after_a_pause_the_shop_goes_on_after_its_last_sale(tmp_path: Path) -> None:
    last = ids(a_book(tmp_path), days=2.5)[-1]

    at_once = ids(a_book(tmp_path), after=last, days=0.0)
    later = ids(a_book(tmp_path), after=last, days=1.0)

    assert at_once == []
    assert min(later) > last


def test_handing_out_again_counts_once(tmp_path: Path) -> None:
    book = a_book(tmp_path)
    first = ids(book)

    again = ids(book)

    assert again == first
    assert sum(day["sales"] for day in book.summary().values()) == len(first)
    assert len((tmp_path / "book.jsonl").read_text().splitlines()) == 2


def test_a_line_that_a_crash_has_cut_off_is_left_out(tmp_path: Path) -> None:
    handed_out = ids(a_book(tmp_path), limit=5)
    with (tmp_path / "book.jsonl").open("a") as file:
        file.write('{"handed_out":[6,')

    book = a_book(tmp_path)
    ids(book, limit=7)

    assert a_book(tmp_path).newest() == handed_out[-1] + 2


def test_the_summary_of_a_day_adds_up(tmp_path: Path) -> None:
    book = a_book(tmp_path)
    [sale] = book.sales(after=0, limit=1, open_seconds=FAR)
    book.write("production", "a", {"id": "a", "day": "2025-01-01", "cost": "2.00"})
    book.write("production", "a", {"id": "a", "day": "2025-01-01", "cost": "3.00"})
    book.write("stock", "a", {"id": "a", "day": "2025-01-01", "worth": "0.50"})

    day = book.summary()["2025-01-01"]

    assert day["sales"] == 1
    assert Decimal(day["revenue"]) == sale.amount
    assert (day["cost"], day["salvage"]) == ("3.00", "0.50")
    assert Decimal(day["profit"]) == sale.amount - Decimal("2.50")


@pytest.mark.parametrize(
    "record",
    [
        {"day": "2025-01-01"},
        {"day": "someday", "cost": "1"},
        {"day": "2025-01-01", "cost": "much"},
        {"day": 3, "cost": "1"},
    ],
)
def test_what_cannot_be_added_up_is_refused(tmp_path: Path, record: dict[str, Any]) -> None:
    with pytest.raises(Unfit):
        a_book(tmp_path).write("production", "a", record)


class TestHttp:
    @pytest.fixture
    def shop(self, tmp_path: Path) -> Shop:
        instants = iter([0.0, *[FAR] * 100])
        return Shop(a_book(tmp_path), clock=lambda: next(instants))

    def test_sales_are_given_after_an_id(self, shop: Shop) -> None:
        status, sales = shop.answer("GET", "/sales?after=3&limit=2", b"")

        assert status == 200
        assert [sale["id"] for sale in sales] == [4, 5]

    def test_profit_is_written_under_its_day(self, shop: Shop) -> None:
        body = json.dumps(a_profit()).encode()

        status, _ = shop.answer("PUT", "/profit/2025-01-01", body)

        assert status == 200
        assert shop.answer("GET", "/profit", b"") == (200, {"2025-01-01": a_profit()})

    @pytest.mark.parametrize(
        ("method", "target", "body", "status"),
        [
            ("GET", "/sales?after=x", b"", 400),
            ("POST", "/production", b"[]", 400),
            ("POST", "/production", b"{", 400),
            ("POST", "/stock", b'{"id": "a"}', 400),
            ("DELETE", "/sales", b"", 404),
            ("GET", "/cakes", b"", 404),
        ],
    )
    def test_a_wrong_request_is_told_why(
        self, shop: Shop, method: str, target: str, body: bytes, status: int
    ) -> None:
        found, answer = shop.answer(method, target, body)

        assert found == status
        assert answer["error"]

    def test_the_page_marks_what_profit_reports_otherwise(self, shop: Shop) -> None:
        shop.answer("GET", "/sales?limit=1", b"")
        shop.answer("PUT", "/profit/2025-01-01", json.dumps(a_profit(revenue="9.99")).encode())

        _, page = shop.answer("GET", "/", b"")

        assert "<td>2025-01-01</td>" in page
        assert "(9.99)" in page

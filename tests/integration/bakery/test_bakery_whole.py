"""The five scripts of the bakery, the shop and a real Kafka, with some of them killed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.bakery import Bakery, a_shop

pytestmark = pytest.mark.integration

SCHEDULED = ("sensor_sales", "production", "surplus")


@pytest.fixture
def bakery(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Bakery]:
    with a_shop(tmp_path / "shop", day_seconds=2.0) as shop:
        bakery = Bakery(kafka=kafka, topic_prefix=topic_prefix, shop=shop.url, output=tmp_path)
        yield bakery
        bakery.kill_all()


def go_round(bakery: Bakery) -> None:
    """Run each scheduled script once."""
    for job in SCHEDULED:
        assert bakery.run(job) == 0, bakery.said(job)


def test_profit_agrees_with_the_shop_whatever_is_killed(bakery: Bakery) -> None:
    bakery.start("forecast")
    bakery.start("profit")
    for _ in range(3):
        go_round(bakery)

    bakery.kill("profit")
    bakery.kill("forecast")
    bakery.spawn("sensor_sales").kill()
    bakery.start("forecast")
    go_round(bakery)
    bakery.start("profit")
    for _ in range(2):
        go_round(bakery)
    status, said = bakery.check()

    assert status == 0, said + bakery.said("profit")
    assert "profit agrees with the shop" in said
    assert bakery.stop("forecast") == 0
    assert bakery.stop("profit") == 143

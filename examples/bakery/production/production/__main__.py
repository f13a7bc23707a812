"""Decide on all forecasts that are new since the last run.

The shop is told before the topic. A run that is killed in between leaves the forecast uncommitted,
and the next one does both again: both go by the id, so that changes nothing.
"""

import httpx
import msgspec

from kirby import Context, Topic, log

from .baking import Forecast, Product, Production, production_of

WAIT_SECONDS = 0.5  # for the next forecast; there is another run soon


class Settings(Context):
    shop_url: str


def main() -> None:
    settings = Settings()
    decided = 0
    with (
        httpx.Client(base_url=settings.shop_url) as shop,
        Topic("forecast", of=Forecast) as forecasts,
        Topic("production", of=Production) as productions,
    ):
        products = products_of(shop)
        while (record := forecasts.next(WAIT_SECONDS)) is not None:
            production = production_of(record.value, products[record.value.product])
            answer = shop.post("/production", json=msgspec.to_builtins(production))
            answer.raise_for_status()
            productions.send(production, key=production.product)
            decided += 1
    log.info("%d batches decided", decided)


def products_of(shop: httpx.Client) -> dict[str, Product]:
    """Ask the shop what it sells."""
    answer = shop.get("/products").raise_for_status()
    return msgspec.json.decode(answer.content, type=dict[str, Product])


if __name__ == "__main__":
    main()

"""Report what is left of the days that are over.

It reads a window of three topics anew in each run, outside of any consumer group: from a while
before the last report on. A figure that later sales have changed is reported again, under its id.
"""

from datetime import datetime, timedelta

import httpx
import msgspec

from kirby import Context, Topic, log

from .comparison import Comparison, Production, Sale, Surplus


class Settings(Context):
    shop_url: str
    window: timedelta = timedelta(minutes=2)  # some days of the example's shop


def main() -> None:
    settings = Settings()
    with (
        httpx.Client(base_url=settings.shop_url) as shop,
        Topic("surplus", of=Surplus) as surpluses,
    ):
        last = surpluses.newest()
        since = last.at - settings.window if last else None
        reported = [record.value for record in surpluses.replay(since)]
        found = list(comparison_of(since).surpluses(reported))
        for surplus in found:
            shop.post("/stock", json=msgspec.to_builtins(surplus)).raise_for_status()
            surpluses.send(surplus, key=surplus.product)
    log.info("%d surpluses reported", len(found))


def comparison_of(since: datetime | None) -> Comparison:
    """Read what was sold and baked since an instant; `None`: from the beginning."""
    comparison = Comparison()
    with Topic("sales", of=Sale) as sales, Topic("production", of=Production) as productions:
        for sale in sales.replay(since):
            comparison.sold(sale.value)
        for production in productions.replay(since):
            comparison.baked(production.value)
    return comparison


if __name__ == "__main__":
    main()

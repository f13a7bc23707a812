"""Send the sales that are new since the last run.

How far it has come lies in a topic of its own, `sales_position`, and is written only after all
sales up to there are acknowledged. So a run that is killed anywhere loses no sale; the next one
may send some of them again, which is why every sale has an id and whoever reads them goes by it.
"""

from typing import Any

import httpx
import msgspec

from kirby import Context, Topic, log


class Settings(Context):
    shop_url: str
    batch: int = 200


class Position(msgspec.Struct):
    """The id of the last sale that was sent."""

    after: int


def main() -> None:
    settings = Settings()
    with Topic("sales") as sales, Topic("sales_position", of=Position) as positions:
        last = positions.newest()
        after, sent = (last.value.after if last else 0), 0
        while batch := fetch(settings, after):
            for sale in batch:
                sales.send(sale, key=sale["product"])
            sales.flush()
            after, sent = batch[-1]["id"], sent + len(batch)
            positions.send(Position(after), key="shop")
    log.info("%d sales sent", sent, after=after)


def fetch(settings: Settings, after: int) -> list[dict[str, Any]]:
    """Return the next sales after one, in the order in which they happened."""
    answer = httpx.get(
        f"{settings.shop_url}/sales", params={"after": after, "limit": settings.batch}
    )
    sales: list[dict[str, Any]] = answer.raise_for_status().json()
    return sales


if __name__ == "__main__":
    main()

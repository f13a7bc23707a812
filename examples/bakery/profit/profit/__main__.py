"""Keep each day's profit up to date at the shop.

Its accounts are in memory. So it reads its topics from their beginnings when it starts, and tells
the shop nothing before it has caught up; each day is written under its date. Killed at any moment
and started again, it comes to the same numbers. Days whose records Kafka no longer keeps are left
as they were told.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import msgspec

from kirby import Context, Record, Topic, log

from .accounts import Accounts, Production, Profit, Sale, Surplus

WAIT_SECONDS = 0.2  # for the next record of one topic, while others may have some
AT_ONCE = 1000  # records of one topic before the next one has its turn


class Settings(Context):
    shop_url: str


def main() -> None:
    settings = Settings()
    accounts = Accounts()
    with (
        httpx.Client(base_url=settings.shop_url) as shop,
        Topic("sales", of=Sale).from_beginning() as sales,
        Topic("production", of=Production).from_beginning() as productions,
        Topic("surplus", of=Surplus).from_beginning() as surpluses,
    ):
        topics: list[Topic[Any]] = [sales, productions, surpluses]
        begun: set[tuple[str, int]] = set()
        told = told_before(shop)
        while True:  # until `next` is told that the script is to stop
            for topic in topics:
                for record in some(topic):
                    if (record.topic, record.partition) not in begun and record.offset > 0:
                        accounts.forget_up_to(record.value.day)
                    begun.add((record.topic, record.partition))
                    accounts.take(record.value)
            if all(topic.caught_up for topic in topics):
                tell(
                    shop, [profit for profit in accounts.changed() if told.get(profit.id) != profit]
                )
                told = {}


def some(topic: Topic[Any]) -> Iterator[Record[Any]]:
    """Hand out what a topic has now, but leave the others their turn."""
    for _ in range(AT_ONCE):
        record = topic.next(WAIT_SECONDS)
        if record is None:
            return
        yield record


def told_before(shop: httpx.Client) -> dict[str, Profit]:
    """Ask the shop what an earlier life of this script has told it."""
    answer = shop.get("/profit").raise_for_status()
    return msgspec.json.decode(answer.content, type=dict[str, Profit])


def tell(shop: httpx.Client, profits: list[Profit]) -> None:
    """Write the days that have changed."""
    for profit in profits:
        answer = shop.put(f"/profit/{profit.id}", json=msgspec.to_builtins(profit))
        answer.raise_for_status()
    if profits:
        last = profits[-1]
        log.info("%s earned %s", last.day, last.profit, days_written=len(profits))


if __name__ == "__main__":
    main()

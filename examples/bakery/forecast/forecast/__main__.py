"""Forecast the next day as soon as a day begins.

The history of a product is in memory, so it is read again from the topic when the script starts,
and whenever another host has read sales of a partition meanwhile, which leaves a gap.
"""

from kirby import Record, Topic, log

from .follower import Follower
from .history import Forecast, History, Sale


def main() -> None:
    with Topic("sales", of=Sale) as sales, Topic("forecast", of=Forecast) as forecasts:
        history, follower = read_again(sales)
        for record in sales:
            if follower.misses_some_before(record.partition, record.offset):
                history, follower = read_again(sales)
            take(record, history, follower)
            if history.opens_day(record.value):
                forecast = history.forecast(record.value)
                forecasts.send(forecast, key=forecast.product)
                log.info("%s %s: %.1f expected", forecast.day, forecast.product, forecast.expected)


def read_again(sales: Topic[Sale]) -> tuple[History, Follower]:
    """Build the history from all sales that are in the topic."""
    history, follower = History(), Follower()
    for record in sales.replay():
        take(record, history, follower)
    return history, follower


def take(record: Record[Sale], history: History, follower: Follower) -> None:
    """Add a sale to the history."""
    history.add(record.value)
    follower.note(record.partition, record.offset)


if __name__ == "__main__":
    main()

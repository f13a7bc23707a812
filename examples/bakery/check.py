"""Compare what the bakery's `profit` reports with what the shop itself handed out and was told.

    python examples/bakery/check.py --shop http://127.0.0.1:8643 [--wait SECONDS]

The days that were over when the check began are compared, cent for cent; the scripts have
`--wait` seconds to catch up. It ends with 0 if all agrees, with 1 and each difference if not, and
with 6 if the shop does not answer.
"""

import argparse
import json
import sys
import time
from decimal import Decimal
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

COMPARED = ("sales", "revenue", "cost", "salvage", "profit")
PAUSE_SECONDS = 1.0
STATUS_UNREACHABLE = 6


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--shop", required=True, help="its address")
    parser.add_argument("--wait", type=float, default=60.0, help="seconds; default: 60")
    given = parser.parse_args()
    try:
        days, differences = settled(given.shop.rstrip("/"), given.wait)
    except (URLError, OSError, ValueError) as fault:
        print(f"the shop at {given.shop} does not answer: {fault}", file=sys.stderr)
        return STATUS_UNREACHABLE
    for difference in differences:
        print(difference)
    if differences:
        print(f"{len(differences)} differences in {len(days)} days")
        return 1
    total = sum(day["sales"] for day in days.values())
    print(f"profit agrees with the shop: {len(days)} days, {total} sales")
    return 0


def settled(shop: str, wait: float) -> tuple[dict[str, Any], list[str]]:
    """Return the days compared and what differs once nothing does, or when the wait is over."""
    over = finished_days(fetch(shop, "summary")["days"])
    limit = time.monotonic() + wait
    while True:
        summary = fetch(shop, "summary")["days"]
        days = {day: summary[day] for day in over}
        differences = compare(days, fetch(shop, "profit"))
        if not differences or time.monotonic() >= limit:
            return days, differences
        time.sleep(PAUSE_SECONDS)


def finished_days(summary: dict[str, Any]) -> list[str]:
    """Return the days before the newest one with sales: all of theirs were handed out."""
    with_sales = sorted(day for day, facts in summary.items() if facts["sales"])
    return with_sales[:-1]


def compare(days: dict[str, Any], reported: dict[str, Any]) -> list[str]:
    """Return a line for each number that differs."""
    differences = []
    for day, facts in days.items():
        if day not in reported:
            differences.append(f"{day}  profit has no such day; the shop: {facts['profit']}")
            continue
        differences.extend(
            f"{day}  {name}: profit says {reported[day].get(name)}, the shop {facts[name]}"
            for name in COMPARED
            if Decimal(str(reported[day].get(name, "NaN"))) != Decimal(str(facts[name]))
        )
    return differences


def fetch(shop: str, path: str) -> Any:
    """Return the JSON of a path."""
    with urlopen(f"{shop}/{path}", timeout=10) as answer:
        return json.load(answer)


if __name__ == "__main__":
    sys.exit(main())

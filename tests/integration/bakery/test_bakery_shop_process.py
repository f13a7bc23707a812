"""The shop as a process: closed politely, killed, opened again."""

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.builders.bakery import BAKERY, LIMIT_SECONDS, a_shop, open_shop

pytestmark = pytest.mark.integration


def get(url: str) -> Any:
    with urlopen(url, timeout=LIMIT_SECONDS) as answer:
        return json.load(answer)


def put(url: str, record: dict[str, Any]) -> None:
    request = Request(url, data=json.dumps(record).encode(), method="PUT")
    with urlopen(request, timeout=LIMIT_SECONDS) as answer:
        assert answer.status == 200


def some_sales(url: str) -> list[dict[str, Any]]:
    sales: list[dict[str, Any]] = []
    while len(sales) < 20:
        sales = get(f"{url}/sales?after=0&limit=20")
    return sales


def test_a_shop_that_is_killed_remembers_what_it_handed_out_and_was_told(tmp_path: Path) -> None:
    profit = dict.fromkeys(("revenue", "cost", "salvage", "profit"), "1.00")
    profit |= {"id": "2025-01-01", "day": "2025-01-01"}
    with a_shop(tmp_path, day_seconds=0.5) as shop:
        sales = some_sales(shop.url)
        put(f"{shop.url}/profit/2025-01-01", profit)
        shop.kill()

    with a_shop(tmp_path) as shop:
        summary, reported = get(f"{shop.url}/summary"), get(f"{shop.url}/profit")

    assert summary["newest"] == sales[-1]["id"]
    assert summary["days"][sales[0]["day"]]["sales"] > 0
    assert reported == {"2025-01-01": profit}


def test_a_shop_that_is_asked_to_close_ends_with_0(tmp_path: Path) -> None:
    shop = open_shop(tmp_path)

    shop.close()

    assert shop.process.returncode == 0


def test_a_port_that_is_taken_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        command = [sys.executable, str(BAKERY / "shop"), "--state", str(tmp_path)]
        done = subprocess.run(
            [*command, "--port", str(port)], capture_output=True, text=True, check=False
        )

    assert done.returncode == 11
    assert done.stderr.count("\n") == 1
    assert "choose another port" in done.stderr


def test_the_check_tells_a_shop_that_does_not_answer() -> None:
    command = [sys.executable, str(BAKERY / "check.py"), "--shop", "http://127.0.0.1:1"]

    done = subprocess.run(command, capture_output=True, text=True, check=False)

    assert done.returncode == 6
    assert "does not answer" in done.stderr

"""The shop's HTTP server: JSON in, JSON out, and one page for people."""

import json
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from .book import Book, Unfit
from .page import page_of
from .year import PRODUCTS

SALES_LIMIT = 1000
BODY_LIMIT = 1 << 20  # bytes; a record of the bakery has some hundred

Answer = tuple[int, Any]


class Shop:
    """Answers requests from the book, one at a time."""

    def __init__(self, book: Book, clock: Callable[[], float] = time.monotonic) -> None:
        self._book = book
        self._clock = clock
        self._opened = clock()
        self._lock = Lock()

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """Return status and JSON value (of `GET /`: the page) for a request."""
        url = urlsplit(target)
        path = [unquote(part) for part in url.path.split("/") if part]
        query = {name: values[-1] for name, values in parse_qs(url.query).items()}
        try:
            with self._lock:
                return self._route(method, path, query, body)
        except (Unfit, ValueError) as fault:
            return 400, {"error": str(fault)}

    def _route(self, method: str, path: list[str], query: dict[str, str], body: bytes) -> Answer:
        match method, path:
            case "GET", ["sales"]:
                return 200, [sale.as_json() for sale in self._sales(query)]
            case "GET", ["products"]:
                return 200, {product.name: _described(product) for product in PRODUCTS}
            case "GET", ["production" | "stock" | "profit" as kind]:
                return 200, self._book.written(kind)
            case "POST", ["production" | "stock" as kind]:
                record = _record(body)
                self._book.write(kind, str(record["id"]), record)
                return 200, record
            case "PUT", ["profit", key]:
                record = _record(body)
                self._book.write("profit", key, record)
                return 200, record
            case "GET", ["summary"]:
                return 200, {"newest": self._book.newest(), "days": self._book.summary()}
            case "GET", ["health"]:
                return 200, {"open_seconds": round(self._clock() - self._opened, 1)}
            case "GET", []:
                return 200, page_of(self._book.summary(), self._book.written("profit"))
        return 404, {"error": f"the shop has no {method} /{'/'.join(path)}"}

    def _sales(self, query: dict[str, str]) -> list[Any]:
        return self._book.sales(
            after=int(query.get("after", "0")),
            limit=min(int(query.get("limit", "100")), SALES_LIMIT),
            open_seconds=self._clock() - self._opened,
        )


class Handler(BaseHTTPRequestHandler):
    """Carries requests to the shop; `shop` is set by `serve`."""

    shop: ClassVar[Shop]
    protocol_version = "HTTP/1.1"

    def _answer(self) -> None:
        length = min(int(self.headers.get("Content-Length") or 0), BODY_LIMIT)
        status, value = self.shop.answer(self.command, self.path, self.rfile.read(length))
        is_page = isinstance(value, str)
        content = value.encode() if is_page else json.dumps(value).encode()
        self.send_response(status)
        kind = "text/html; charset=utf-8" if is_page else "application/json"
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = do_PUT = _answer  # noqa: N815 - the names that http.server calls

    def log_message(self, *_args: Any) -> None:
        """Say nothing: a line for each request would bury what matters."""


def server_of(shop: Shop, address: str, port: int) -> ThreadingHTTPServer:
    """Return a server that listens; port 0 takes a free one.

    Raises:
        OSError: the port is taken.
    """

    class OfThisShop(Handler):
        pass

    OfThisShop.shop = shop
    return ThreadingHTTPServer((address, port), OfThisShop)


def _described(product: Any) -> dict[str, Any]:
    return {
        "price": str(product.price),
        "unit_cost": str(product.unit_cost),
        "tray": product.tray,
    }


def _record(body: bytes) -> dict[str, Any]:
    record = json.loads(body)
    if not isinstance(record, dict) or "id" not in record:
        raise Unfit('expected a JSON object with an "id"')
    return record

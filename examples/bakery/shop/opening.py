"""Open the shop, and close it on SIGTERM or Ctrl-C; its book stays in its state folder."""

import argparse
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path

from .book import Book
from .journal import Journal
from .server import Shop, server_of

STATUS_PORT_TAKEN = 11


def main() -> int:
    """Serve until SIGTERM or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="shop", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--state", type=Path, required=True, help="folder of the shop's book")
    parser.add_argument("--address", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8643, help="0: a free one")
    parser.add_argument("--seed", type=int, default=2025, help="of the sales of a new book")
    parser.add_argument(
        "--day-seconds", type=float, default=10.0, help="how long a day of business takes"
    )
    given = parser.parse_args()
    journal = Journal(given.state / "book.jsonl")
    shop = Shop(Book(journal, seed=given.seed, day_seconds=given.day_seconds))
    try:
        server = server_of(shop, given.address, given.port)
    except OSError as fault:
        print(
            f"the shop cannot listen on {given.address}:{given.port} ({fault.strerror}): "
            "choose another port with --port",
            file=sys.stderr,
        )
        return STATUS_PORT_TAKEN
    _close_on(server.shutdown, signal.SIGTERM, signal.SIGINT)
    print(f"shop  http://{given.address}:{server.server_address[1]}", flush=True)
    server.serve_forever(poll_interval=0.2)
    server.server_close()
    journal.close()
    return 0


def _close_on(shutdown: Callable[[], None], *signals: signal.Signals) -> None:
    def close(_number: int, _frame: object) -> None:
        # From a thread of its own: it waits for the loop that this handler has interrupted.
        threading.Thread(target=shutdown).start()

    for number in signals:
        signal.signal(number, close)


if __name__ == "__main__":
    sys.exit(main())

"""The example itself: where it lies, its shop, its packages, its document."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from kirby.cli.demo.alone import ends_with_me
from kirby.cli.demo.ports import free_port
from kirby.cli.document_file import read_document
from kirby.cli.service import Service
from kirby.core.errors import NotFound
from kirby.packages.publishing import publish

PACKAGES = ("sensor_sales", "forecast", "production", "surplus", "profit")
SHOP_PORT = 8643
CHECKOUT = Path(__file__).resolve().parents[3]


def bakery_folder() -> Path:
    """Return where the example lies.

    Raises:
        NotFound: this Kirby was not installed from a checkout.
    """
    folder = CHECKOUT / "examples" / "bakery"
    if not (folder / "bakery.toml").is_file():
        raise NotFound(
            "the bakery is a part of Kirby's checkout, and this Kirby was installed without it: "
            "clone the repository and run 'make demo' there"
        )
    return folder


@contextmanager
def open_shop(folder: Path, state: Path) -> Iterator[str]:
    """Run the shop while the demo lasts; its book, and so its sales, are kept in `state`."""
    port = free_port(SHOP_PORT, state / "port")
    command = [sys.executable, str(folder / "shop"), "--state", str(state), "--port", str(port)]
    with (state / "shop.log").open("ab") as log:
        shop = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, preexec_fn=ends_with_me()
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        shop.terminate()
        shop.wait()


def publish_all(folder: Path, service: Service) -> int:
    """Publish the five packages; those that are there already stay."""
    for name in PACKAGES:
        publish(folder / name, address=f"{service.url.rstrip('/')}/packages/", token=service.token)
    return len(PACKAGES)


def apply_document(folder: Path, service: Service, shop_url: str) -> int:
    """Have Kirby do what the bakery's document says; return how many jobs it names."""
    document = read_document(folder / "bakery.toml")
    data: dict[str, Any] = {**document.data, "set": {"SHOP_URL": shop_url}}
    service.post("/document/apply", {"document": data, "prune": False, "revision": None})
    return len(data["job"])

"""Packages, and an index that serves them."""

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

from kirby.packages.index import create_index
from kirby.packages.wheel_file import pack_wheel

TOKEN = "kby_token_of_the_tests"
HELLO = "print('hello')\n"


def a_wheel(
    name: str = "forecast",
    version: str = "0.9.2",
    *,
    files: Mapping[str, str] | None = None,
    requires: tuple[str, ...] = (),
    python: str = "",
    says_name: str | None = None,
) -> tuple[str, bytes]:
    """Return (file name, content) of a wheel; by default a package with a `__main__`."""
    module = name.replace("-", "_")
    content = {f"{module}/__init__.py": "", f"{module}/__main__.py": HELLO}
    metadata = ["Metadata-Version: 2.1", f"Name: {says_name or name}", f"Version: {version}"]
    metadata += [f"Requires-Dist: {other}" for other in requires]
    metadata += [f"Requires-Python: {python}"] if python else []
    info = f"{module}-{version}.dist-info"
    members = {
        **(content if files is None else files),
        f"{info}/METADATA": "\n".join(metadata) + "\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    encoded = {path: text.encode() for path, text in members.items()}
    return f"{module}-{version}-py3-none-any.whl", pack_wheel(encoded, info)


def an_index(folder: Path, **changes: Any) -> Any:
    """Return an index whose only token is `TOKEN`; it keeps nothing besides its folder."""
    arguments = {
        "may_upload": lambda token: token == TOKEN,
        "may_read": lambda token: token == TOKEN,
        "on_upload": lambda _name, _content: None,
    }
    return create_index(folder, **{**arguments, **changes})


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # its name there
        pass


@contextmanager
def served(application: Any) -> Iterator[str]:
    """Serve a WSGI application on loopback; gives its address, with a slash at the end."""
    server = make_server("127.0.0.1", 0, application, handler_class=_Silent)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

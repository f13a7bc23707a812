"""How the command line speaks to a start process: a Unix socket in the state folder (0600).

One line of JSON asks (`{"do": "status"}`, `{"do": "stop", "with_scripts": false}`); lines of JSON
answer, until the connection ends.
"""

import contextlib
import json
import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kirby.host.state import StateFolder

ASK_WITHIN_S = 2.0  # a command line that connects and says nothing holds nobody up for longer
REQUEST_LIMIT = 65536


class Control:
    """The start process's end."""

    def __init__(self, folder: StateFolder) -> None:
        self._path = folder.path / "control"
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX)
        with _short(self._path) as short:
            mask = os.umask(0o177)
            try:
                self._socket.bind(short)
            finally:
                os.umask(mask)
        self._socket.listen(8)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        """Return what to wait on."""
        return self._socket.fileno()

    def accept(self) -> tuple[dict[str, Any], "Answering"] | None:
        """Take one request; None if whoever connected asked nothing sensible in time."""
        try:
            link, _ = self._socket.accept()
        except OSError:
            return None
        link.settimeout(ASK_WITHIN_S)
        try:
            request = json.loads(link.makefile("rb").readline(REQUEST_LIMIT))
        except (OSError, ValueError):
            request = None
        if isinstance(request, dict):
            return request, Answering(link)
        link.close()
        return None

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


class Answering:
    """One who asked; may be gone at any time."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link

    def say(self, answer: dict[str, Any]) -> None:
        """Send a line."""
        with contextlib.suppress(OSError):
            self._link.sendall(json.dumps(answer).encode() + b"\n")

    def end(self) -> None:
        """Say that this was all."""
        self._link.close()


def ask(folder: StateFolder, request: dict[str, Any], *, within_s: float) -> Iterator[Any]:
    """Ask the start process of a state folder; yield its answers.

    Raises:
        ConnectionError, FileNotFoundError: none listens.
        TimeoutError: it does not answer.
    """
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as link:
        link.settimeout(within_s)
        with _short(folder.path / "control") as short:
            link.connect(short)
        link.sendall(json.dumps(request).encode() + b"\n")
        for line in link.makefile("rb"):
            yield json.loads(line)


@contextlib.contextmanager
def _short(path: Path) -> Iterator[str]:
    """Name a socket by its folder's descriptor: a socket's name has room for 107 bytes only."""
    descriptor = os.open(path.parent, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)

"""Ports of the demo: the usual one where it is free, else another, and then always that."""

import socket
from pathlib import Path

LOOPBACK = "127.0.0.1"


def free_port(usual: int, kept: Path) -> int:
    """Return the port that was kept, the usual one, or a free one; and keep it."""
    wanted = int(kept.read_text()) if kept.exists() else usual
    port = wanted if _is_free(wanted) else _any_free()
    kept.write_text(str(port))
    return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True


def _any_free() -> int:
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
        return port

"""Connects to a Unix socket by a path of any length: an address has 107 bytes at most."""

import os
import socket
from pathlib import Path

from kirby.core.errors import ShimUnreachable


def connect_to(path: Path, limit_s: float) -> socket.socket:
    """Connect, and give every send and receive a time limit.

    Raises:
        ShimUnreachable: nobody listens there.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(limit_s)
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
    except OSError as fault:
        connection.close()
        raise ShimUnreachable(f"no shim answers at {path}: {fault.strerror}") from fault
    return connection

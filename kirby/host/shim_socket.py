"""Connects to a Unix socket by a path of any length: an address has 107 bytes at most."""

import os
import socket
import struct
from pathlib import Path

from kirby.core.errors import ShimUnreachable

TIME = struct.Struct("@ll")  # seconds, microseconds


def connect_to(path: Path, limit_s: float) -> socket.socket:
    """Connect, and give every send and receive a time limit.

    Raises:
        ShimUnreachable: nobody listens there.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # One with a time limit of Python's would not wait while others are being let in.
    within = TIME.pack(int(limit_s), int(limit_s % 1 * 1_000_000))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, within)
    try:
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            connection.connect(f"/proc/self/fd/{folder}/{path.name}")
        finally:
            os.close(folder)
    except OSError as fault:
        connection.close()
        raise ShimUnreachable(f"no shim answers at {path}: {fault.strerror}") from fault
    connection.settimeout(limit_s)
    return connection

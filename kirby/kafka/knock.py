"""Does a Kafka broker answer here? Asked without a Kafka client, which would leave its threads.

The start process asks before it boots the actor system, whose actors are forked from it.
"""

import socket
import struct

API_VERSIONS = 18  # Kafka's request that every broker answers to anyone
_HEADER = struct.Struct(">hhih")  # request, its version, correlation, length of no client id (-1)
_LENGTH = struct.Struct(">i")
_CORRELATION = 4711


def listens(host: str, port: int, timeout_s: float) -> bool:
    """Tell whether anybody listens: a broker that speaks TLS answers nothing to a bare request."""
    try:
        socket.create_connection((host, port), timeout=timeout_s).close()
    except OSError:
        return False
    return True


def answers(host: str, port: int, timeout_s: float) -> bool:
    """Ask which requests a broker knows; tell whether the answer came in time."""
    request = _HEADER.pack(API_VERSIONS, 0, _CORRELATION, -1)
    try:
        with socket.create_connection((host, port), timeout=timeout_s) as connection:
            connection.sendall(_LENGTH.pack(len(request)) + request)
            answer = connection.recv(2 * _LENGTH.size, socket.MSG_WAITALL)
    except OSError:
        return False
    return answer[_LENGTH.size :] == _LENGTH.pack(_CORRELATION)

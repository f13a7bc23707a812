"""The sockets of the shim, straight from the C module: `socket` itself would cost it half a MB."""

import _socket
import os
import struct

Socket = _socket.socket
WITHOUT_WAITING = _socket.MSG_DONTWAIT
PEER = struct.Struct("=iII")  # pid, user, group


def pair() -> tuple[Socket, Socket]:
    """Make two ends that are joined; neither survives an exec unless it is duplicated."""
    return _socket.socketpair()


def listen(folder: str) -> Socket:
    """Listen at `folder/socket`, by a short name: a socket's address has 107 bytes at most."""
    try:
        os.unlink(f"{folder}/socket")
    except FileNotFoundError:
        pass
    listening = Socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_NONBLOCK)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listening.bind(f"/proc/self/fd/{descriptor}/socket")
    finally:
        os.close(descriptor)
    listening.listen(64)
    return listening


def may_ask(peer: Socket) -> bool:
    """Tell whether the peer is this user, or root."""
    _, user, _ = PEER.unpack(peer.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, PEER.size))
    return user in (0, os.getuid())


def accept(listening: Socket) -> Socket:
    """Take the next peer.

    Raises:
        OSError: it has left again.
    """
    descriptor, _address = listening._accept()  # type: ignore[attr-defined]
    return Socket(fileno=descriptor)

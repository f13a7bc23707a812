"""The file `token` of a state folder: where this machine's command line finds a web service."""

import msgspec

from kirby.host.state import StateFolder, write_private


class TokenFile(msgspec.Struct, frozen=True, kw_only=True):
    """Which web service is asked (several: with commas between), and with which token."""

    url: str
    token: str


def read_token_file(folder: StateFolder) -> TokenFile:
    """Read it.

    Raises:
        OSError: it is not there, or cannot be read.
        msgspec.MsgspecError: it holds something else.
    """
    return msgspec.json.decode(folder.token.read_bytes(), type=TokenFile)


def write_token_file(folder: StateFolder, told: TokenFile) -> None:
    """Write it, for its owner only."""
    write_private(folder.token, msgspec.json.encode(told).decode())

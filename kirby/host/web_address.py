"""Where this host's own web service answers: written by it, read by the rest of the host."""

import msgspec

from kirby.host.state import StateFolder, write_private


class WebAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a living web service."""

    url: str
    pid: int


def write_web_address(folder: StateFolder, address: WebAddress) -> None:
    """Say where the web service answers, from now on."""
    folder.web.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_private(folder.web / "address.json", msgspec.json.encode(address).decode())


def read_web_address(folder: StateFolder) -> WebAddress | None:
    """Return what the latest web service said, dead or alive; None if none ever did."""
    try:
        content = (folder.web / "address.json").read_bytes()
        return msgspec.json.decode(content, type=WebAddress)
    except (FileNotFoundError, msgspec.DecodeError):
        return None

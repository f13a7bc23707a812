"""`host.json` of the state folder: what the living start process tells whoever looks."""

from datetime import datetime

import msgspec

from kirby.core.configuration import HostConfiguration
from kirby.host.state import StateFolder, write_private


class HostFile(msgspec.Struct, frozen=True, kw_only=True):
    """Who runs here, since when, and all it was told; 0600, for it may hold Kafka's password."""

    pid: int
    since: datetime
    configuration: HostConfiguration  # with the addresses that the start process found


def write_host_file(folder: StateFolder, host: HostFile) -> None:
    """Say who runs here."""
    write_private(folder.host, msgspec.json.encode(host).decode())


def read_host_file(folder: StateFolder) -> HostFile | None:
    """Return what the latest start process said, dead or alive; None if none ever did."""
    try:
        return msgspec.json.decode(folder.host.read_bytes(), type=HostFile)
    except (FileNotFoundError, msgspec.DecodeError):
        return None

"""Where this host's own web service answers: chosen before it starts, and kept from then on."""

import socket

import msgspec

from kirby.core.configuration import WEB_LISTEN
from kirby.core.configuration_fields import Endpoint
from kirby.host.processes import identify
from kirby.host.state import PRIVATE_FOLDER, StateFolder, write_private

ANY = "0.0.0.0"
FIRST_LINK = "first-link"


class WebAddress(msgspec.Struct, frozen=True, kw_only=True):
    """The address of a web service, and its process."""

    host: str
    port: int
    pid: int

    @property
    def endpoint(self) -> Endpoint:
        """Return where it listens."""
        return Endpoint(host=self.host, port=self.port)


def url_of(endpoint: Endpoint, address: str) -> str:
    """Return the address that people and hosts use.

    Args:
        endpoint: where the service listens.
        address: of this host, for one that listens everywhere.
    """
    return f"http://{address if endpoint.host == ANY else endpoint.host}:{endpoint.port}"


def choose_web_endpoint(folder: StateFolder, wanted: Endpoint) -> Endpoint:
    """Choose where the web service of a state folder listens, before it starts.

    With the usual address wanted, the one of the last time is kept, and a free port is taken where
    another has it: several hosts of one machine each have a service of their own. An address that
    was asked for is taken as it is.
    """
    if wanted != WEB_LISTEN:
        return wanted
    last = read_web_address(folder)
    if last is not None and identify(last.pid) is not None and not _is_free(last.endpoint):
        return last.endpoint  # it lives
    kept = [last.endpoint] if last is not None else []
    for endpoint in (*kept, wanted):
        if _is_free(endpoint):
            return endpoint
    with socket.socket() as free:
        free.bind((wanted.host, 0))
        return Endpoint(host=wanted.host, port=free.getsockname()[1])


def write_web_address(folder: StateFolder, address: WebAddress) -> None:
    """Say where the web service answers, from now on."""
    folder.web.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    write_private(folder.web / "address.json", msgspec.json.encode(address).decode())


def read_web_address(folder: StateFolder) -> WebAddress | None:
    """Return what the latest web service said, dead or alive; None if none ever did."""
    try:
        content = (folder.web / "address.json").read_bytes()
        return msgspec.json.decode(content, type=WebAddress)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def leave_first_link(folder: StateFolder, link: str) -> None:
    """Leave the link with which the first browser signs in, for whoever started the host."""
    write_private(folder.web / FIRST_LINK, link)


def take_first_link(folder: StateFolder) -> str | None:
    """Take the link that the first start of the web service left; None: none, or taken already."""
    path = folder.web / FIRST_LINK
    try:
        link = path.read_text()
    except FileNotFoundError:
        return None
    path.unlink(missing_ok=True)
    return link


def _is_free(endpoint: Endpoint) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((endpoint.host, endpoint.port))
        except OSError:
            return False
    return True

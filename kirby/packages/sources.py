"""Where packages come from, and with which name and password."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import msgspec

from kirby.packages.tokens import USER

SOURCES_VARIABLE = "KIRBY_PACKAGE_SOURCES"  # how they come to a build, as JSON


class Sources(msgspec.Struct, frozen=True, kw_only=True):
    """The indexes of a host.

    `built_in` are addresses of the built-in index (several web services serve the same); the
    first that answers is asked. `default` is the index for everything else; empty: the public
    one, as the installer knows it. A name and password in an address are taken out of it.
    """

    built_in: tuple[str, ...] = ()
    token: str = ""
    default: str = ""

    def __repr__(self) -> str:
        return f"Sources(built_in={self.built_in!r}, default={self.default_address!r})"

    @property
    def default_address(self) -> str:
        """Return the address of the default index without name and password."""
        return _bare(urlsplit(self.default)) if self.default else ""

    @property
    def hosts(self) -> tuple[str, ...]:
        """Return the hosts of the built-in index."""
        return tuple(filter(None, (urlsplit(address).hostname for address in self.built_in)))


def netrc_text(sources: Sources, known: str) -> str:
    """Return a netrc file: what the user's own has, then the token for the built-in index.

    Args:
        sources: with the token, and perhaps a name and password in the default index's address.
        known: the text of the user's own netrc file; of two entries for a host uv takes the last.
    """
    return "\n".join([known, *_entries(sources), ""])


def _entries(sources: Sources) -> Iterator[str]:
    if sources.token:
        for host in dict.fromkeys(sources.hosts):
            yield f"machine {host} login {USER} password {sources.token}"
    parts = urlsplit(sources.default)
    if parts.hostname and parts.username is not None and parts.hostname not in sources.hosts:
        name, password = unquote(parts.username), unquote(parts.password or "")
        if not any(map(str.isspace, name + password)):  # the format cannot carry them
            yield f"machine {parts.hostname} login {name} password {password}"


def _bare(parts: SplitResult) -> str:
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def users_netrc(environ: Mapping[str, str]) -> str:
    """Return the text of the user's own netrc file, empty where there is none to be read."""
    named = environ.get("NETRC")
    path = Path(named) if named else Path(environ.get("HOME", "/")) / ".netrc"
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""

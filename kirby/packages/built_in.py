"""Ask the built-in index, before the installer does: which address answers, and what it has.

The installer tries a dead address for many seconds, and says "not found" where it was refused.
"""

import base64
import difflib
import re
import ssl
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus
from urllib.error import HTTPError
from urllib.parse import urljoin

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)
from packaging.version import Version

from kirby.core.errors import IndexRefused, IndexUnreachable
from kirby.core.requirement import Requirement
from kirby.packages.sources import Sources
from kirby.packages.tokens import USER

TIMEOUT_SECONDS = 10.0  # of one answer; a web service that starts takes less
NEAR = 0.6  # similarity from which another name was probably meant
VERSIONS_SHOWN = 5
_LINK = re.compile(r"<a [^>]*>([^<]+)</a>")


@dataclass(frozen=True, kw_only=True)
class Shelf:
    """What the built-in index has of a package."""

    address: str  # of the index that answered; empty: there is no built-in index
    versions: tuple[str, ...] = ()


def look(requirement: Requirement, sources: Sources) -> Shelf:
    """Find an address of the built-in index that answers, and the versions of the package there.

    Raises:
        IndexUnreachable: none answers.
        IndexRefused: the host's token does not open it.
    """
    if not sources.built_in:
        return Shelf(address="")
    for address in map(_folder, sources.built_in):
        try:
            page = _read(urljoin(address, f"{requirement.name}/"), sources.token)
        except HTTPError as answer:
            if answer.code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
                raise IndexRefused(str(requirement), address) from None
            if answer.code == HTTPStatus.NOT_FOUND:
                return Shelf(address=address)
        except OSError:
            pass  # the next one may answer
        else:
            return Shelf(address=address, versions=_versions(page))
    raise IndexUnreachable(str(requirement), ", ".join(sources.built_in))


def near_name(requirement: Requirement, shelf: Shelf, token: str) -> str:
    """Return the name in the built-in index that was probably meant, empty where none is near."""
    if not shelf.address:
        return ""
    try:
        names = _LINK.findall(_read(shelf.address, token))
    except OSError:
        return ""
    return next(iter(difflib.get_close_matches(requirement.name, names, n=1, cutoff=NEAR)), "")


def _versions(page: str) -> tuple[str, ...]:
    versions: set[Version] = set()
    for filename in _LINK.findall(page):
        parse = parse_wheel_filename if filename.endswith(".whl") else parse_sdist_filename
        try:
            versions.add(parse(filename)[1])
        except (InvalidWheelFilename, InvalidSdistFilename):
            continue
    return tuple(str(version) for version in sorted(versions)[-VERSIONS_SHOWN:])


def _folder(address: str) -> str:
    return address if address.endswith("/") else f"{address}/"


def _read(address: str, token: str) -> str:
    request = urllib.request.Request(address)
    if token:
        pair = base64.b64encode(f"{USER}:{token}".encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {pair}")
    # The built-in index is part of the cluster: no proxy lies between.
    direct = urllib.request.ProxyHandler({})
    secured = urllib.request.HTTPSHandler(context=ssl.create_default_context())
    opener = urllib.request.build_opener(direct, secured)
    with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
        content: bytes = answer.read()
    return content.decode()

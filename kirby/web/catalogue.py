"""Which packages there are: those of the built-in index, and, if asked, those of the other one."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from difflib import get_close_matches

import httpx

from kirby.core.requirement import Requirement, parse_requirement
from kirby.model.package_files import package_notes

PUBLIC_INDEX = "https://pypi.org/simple/"
LIMIT_S = 3.0
SHOWN = 5
NEAR = 0.75
NOT_FOUND = 404
MUTE_S = 60.0  # an index that did not answer is not waited for again so soon

Ask = Callable[[str], int | None]


def ask_by_http(address: str) -> int | None:
    """Return the status of an address; None where nobody answers in time."""
    try:
        return httpx.head(address, timeout=LIMIT_S, follow_redirects=True).status_code
    except (httpx.HTTPError, httpx.InvalidURL):
        return None


@dataclass(kw_only=True)
class PackageCatalogue:
    """Looks into the database, then into the index that hosts ask for everything else.

    That one is only asked for names that the built-in index lacks. Where it cannot be asked, only
    a name that is nearly one of the built-in index is refused: hosts may reach it all the same.
    """

    index: str = ""  # empty: the public one
    ask: Ask = ask_by_http
    now: Callable[[], float] = time.monotonic
    _mute_until: float = 0.0

    def lacks(self, package: str) -> str | None:
        """Return a sentence if a package is nowhere to be had, as far as can be told."""
        requirement = parse_requirement(package)
        notes = package_notes()
        versions = [note.version for note in notes if note.project == requirement.name]
        if requirement.version in versions:
            return None
        if versions:
            known = ", ".join(dict.fromkeys(versions[-SHOWN:]))
            return f'package "{package}": the index has no such version, but {known}'
        elsewhere = self._elsewhere(requirement)
        near = get_close_matches(requirement.name, {note.project for note in notes}, 1, NEAR)
        if elsewhere or (elsewhere is None and not near):
            return None
        hint = f"; did you mean {near[0]}?" if near else ": publish it first with 'kirby publish'"
        return f'package "{package}": no such package in the index{hint}'

    def _elsewhere(self, requirement: Requirement) -> bool | None:
        """Tell whether the other index has a package; None: nobody can say."""
        if self.now() < self._mute_until:
            return None
        address = (self.index or PUBLIC_INDEX).rstrip("/")
        status = self.ask(f"{address}/{requirement.name}/")
        if status is None:
            self._mute_until = self.now() + MUTE_S
            return None
        return status != NOT_FOUND

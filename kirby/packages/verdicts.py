"""What uv's words mean for the person whose package it could not install."""

import re

from kirby.core.errors import (
    BuildFailed,
    DependenciesUnmet,
    IndexRefused,
    IndexUnreachable,
    InstallationError,
    NoDiskSpace,
    PackageNotFound,
    RequiresPython,
    SourceBuildsNotAllowed,
)

LAST_LINES = 6  # of uv's words that go into a sentence
_LONGEST = 1_000  # characters; a compiler can say more than anybody reads in a list of runs

_FULL_DISK = re.compile(r"no space left on device|disk quota exceeded|os error (28|122)\b", re.I)
_REFUSED = re.compile(r"\b(401 Unauthorized|403 Forbidden)\b|HTTP status client error \(40[13]")
_UNREACHABLE = re.compile(
    r"error sending request|dns error|Request failed after|timed? ?out|HTTP status server error"
    r"|client error \(Connect\)|Could not connect|connection (refused|reset|closed)",
    re.I,
)
_PYTHON = re.compile(r"requires Python\s?([<>=!~][<>=!~.,*\d\s]*\d)")
_NO_WHEEL = re.compile(
    r"Wheels are required for `([^`]+)`|Because ([\w.-]+)\S* has no usable wheel"
)
_BUILDING_OFF = re.compile(r"no usable wheels|building from source is disabled")
_UNKNOWN_NAME = re.compile(r"Because ([\w.-]+) was not found in the (?:package registry|provided)")
_UNKNOWN_VERSION = re.compile(r"there (?:is|are) no versions? of ([\w.-]+)==")
_NO_SOLUTION = re.compile(r"No solution found")
_CAUSE = re.compile(r"Because .*?(?=(?:, we can conclude that your requirements)|hint:|$)", re.S)
_ADDRESS = re.compile(r"https?://[^\s`'\")<>]+")
_FRAME = re.compile(r"[╰─▶│×├]|^\s*(?:cause|error):", re.M)


def verdict(package: str, error: str, *, folder: str, python: str = "") -> InstallationError:
    """Turn uv's words into one sentence of a class of its own.

    Args:
        package: what was to be installed, `name==version`.
        error: all that uv wrote.
        folder: where the environment was to be, for a full disk.
        python: the version of the interpreter.
    """
    words = " ".join(_FRAME.sub(" ", error).split())
    name = package.partition("==")[0]
    if _FULL_DISK.search(words):
        return NoDiskSpace(package, folder)
    if _REFUSED.search(words):
        return IndexRefused(package, _address(words))
    if _UNREACHABLE.search(words):
        return IndexUnreachable(package, _address(words))
    return _resolution(package, name, words, python) or BuildFailed(package, last_words(error))


def _resolution(package: str, name: str, words: str, python: str) -> InstallationError | None:
    unknown = _UNKNOWN_NAME.search(words) or _UNKNOWN_VERSION.search(words)
    wanted = _PYTHON.search(words)
    if unknown and unknown[1] == name:
        return PackageNotFound(package)
    if wanted:
        return RequiresPython(package, wants=wanted[1].replace(" ", ""), has=python)
    if _BUILDING_OFF.search(words):
        lacking = _NO_WHEEL.search(words)
        other = (lacking[1] or lacking[2]) if lacking else name
        return SourceBuildsNotAllowed(package, package if other == name else other)
    if _NO_SOLUTION.search(words):
        cause = _CAUSE.search(words)
        return DependenciesUnmet(package, cause[0].strip() if cause else words)
    return None


def _address(words: str) -> str:
    found = _ADDRESS.search(words)
    return found[0] if found else ""


def last_words(error: str) -> str:
    """Return the last lines of what uv wrote, as one line."""
    lines = [" ".join(_FRAME.sub(" ", line).split()) for line in error.splitlines()]
    return "; ".join([line for line in lines if line][-LAST_LINES:])[-_LONGEST:] or "no word of why"

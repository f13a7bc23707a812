"""The document that `kirby apply` reads: TOML on disk, JSON for the service, faults with places."""

import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from kirby.cli.positions import Position, position_of, positions_of
from kirby.core.errors import Fault, InvalidDocument, NotFound

_PLACE = re.compile(r"(?P<sentence>.*) \(at line (?P<line>\d+), column (?P<column>\d+)\)")


@dataclass(frozen=True, kw_only=True)
class DocumentFile:
    """A document and where everything in it stands."""

    path: Path
    data: Mapping[str, Any]
    positions: Mapping[str, Position]

    def blame(self, faults: Iterable[Fault]) -> InvalidDocument:
        """Return the error that tells each fault with file, line and column, in that order."""
        placed = sorted((self._place(fault), fault.sentence) for fault in faults)
        return InvalidDocument(
            [Fault(field=f"{self.path}:{place}", sentence=sentence) for place, sentence in placed]
        )

    def _place(self, fault: Fault) -> Position:
        start = Position(line=1, column=1)
        return position_of(self.positions, fault.field) or start


def read_document(path: Path, environment: Mapping[str, str] = os.environ) -> DocumentFile:
    """Read a document; secrets that are taken from the shell are fetched from it.

    Raises:
        NotFound: there is no such file.
        InvalidDocument: it cannot be read, or is no TOML.
    """
    try:
        text = path.read_text()
    except FileNotFoundError:
        raise NotFound(f"{path}: no such file") from None
    except (OSError, UnicodeDecodeError) as fault:
        raise InvalidDocument(f"cannot be read ({fault})", field=str(path)) from None
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as fault:
        raise _no_toml(path, text, fault) from None
    plain = msgspec.to_builtins(data)
    return DocumentFile(
        path=path, data=_with_secrets(plain, environment), positions=positions_of(text)
    )


def _no_toml(path: Path, text: str, fault: tomllib.TOMLDecodeError) -> InvalidDocument:
    found = _PLACE.fullmatch(str(fault))
    if found is None:  # "at end of document"
        place = Position(line=text.count("\n") + 1, column=1)
        return InvalidDocument(f"is no TOML: {fault}", field=f"{path}:{place}")
    place = Position(line=int(found["line"]), column=int(found["column"]))
    return InvalidDocument(f"is no TOML: {found['sentence']}", field=f"{path}:{place}")


def _with_secrets(table: Any, environment: Mapping[str, str]) -> Any:
    """Replace `secret.X = { from = "Y" }` by the value of Y, wherever it stands."""
    if isinstance(table, list):
        return [_with_secrets(each, environment) for each in table]
    if not isinstance(table, dict):
        return table
    return {
        key: _fetched(value, environment) if key == "secret" else _with_secrets(value, environment)
        for key, value in table.items()
    }


def _fetched(secrets: Any, environment: Mapping[str, str]) -> Any:
    if not isinstance(secrets, dict):
        return secrets
    return {name: _value(value, environment) for name, value in secrets.items()}


def _value(value: Any, environment: Mapping[str, str]) -> Any:
    """Return a secret's value; one that the shell does not have is left for the service to tell."""
    if isinstance(value, dict) and set(value) == {"from"}:
        return environment.get(str(value["from"]), value)
    return value

"""To read one table of a document: each key once, all faults gathered, unknown keys named."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar

from kirby.core.errors import Fault, InvalidInput

T = TypeVar("T")


class Unfit(ValueError):
    """A value that does not fit its key; the message completes the sentence `key VALUE: …`."""


@dataclass(kw_only=True)
class Table:
    """A table under its dotted path; the faults are shared by all tables of a document."""

    path: str
    data: Mapping[str, Any]
    faults: list[Fault]
    asked: set[str] = field(default_factory=set)

    def at(self, key: str | int) -> str:
        """Return the path of a key."""
        return f"{self.path}.{key}" if self.path else str(key)

    def has(self, key: str) -> bool:
        """Tell whether the document gives a key."""
        return key in self.data

    def blame(self, key: str | int, sentence: str) -> None:
        """Note a fault of a key."""
        self.faults.append(Fault(field=self.at(key), sentence=sentence))

    def read(self, key: str, read: Callable[[Any], T], default: T) -> T:
        """Read one key; note what is wrong with it, and go on with the default."""
        self.asked.add(key)
        if key not in self.data:
            return default
        value = self.data[key]
        try:
            return read(value)
        except Unfit as unfit:
            self.blame(key, f"{key} {shown(value)}{unfit}")
        except InvalidInput as invalid:
            for fault in invalid.faults:
                self.blame(key, fault.sentence)
        return default

    def table(self, key: str) -> "Table":
        """Return the table under a key, empty where there is none or something else stands."""
        self.asked.add(key)
        value = self.data.get(key, {})
        if not isinstance(value, Mapping):
            self.blame(key, f"{key} {shown(value)} is no table")
            value = {}
        return Table(path=self.at(key), data=value, faults=self.faults)

    def tables(self, key: str) -> list["Table"]:
        """Return the tables of a list under a key."""
        self.asked.add(key)
        value = self.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
            self.blame(key, f"{key} is no list of tables: write [[{key}]]")
            return []
        return [
            Table(path=self.at(f"{key}.{place}"), data=each, faults=self.faults)
            for place, each in enumerate(value)
        ]

    def rest(self) -> list[str]:
        """Return the keys that nobody asked for."""
        return [key for key in self.data if key not in self.asked]

    def refuse_rest(self, known: Iterable[str], what: str = "key") -> None:
        """Note every key that nobody asked for; name the one that was probably meant."""
        for key in self.rest():
            self.blame(key, f'{what} "{key}" is unknown{near(key, known)}')


def near(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence that names what was probably meant, or all that there is."""
    names = sorted(set(known))
    close = get_close_matches(word, names, n=1)
    if close:
        return f"; did you mean {close[0]}?"
    return f": {', '.join(names)}" if names else ""


def shown(value: object) -> str:
    """Write a value as it stands in a document, shortened."""
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"

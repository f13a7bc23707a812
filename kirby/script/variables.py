"""From the text of a variable to the value that its annotation asks for."""

import json
from collections.abc import Callable
from datetime import date, datetime, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin

T = TypeVar("T")
_YES = frozenset({"1", "true", "yes", "on"})
_NO = frozenset({"0", "false", "no", "off"})


class Unfit(ValueError):
    """A text that is not of its kind; the message ends the sentence "NAME: "…" ..."."""


def value_of(text: str, kind: Any) -> Any:
    """Read `text` as a `kind`: a type, `X | None`, `list[X]`, `tuple[X, ...]`, `Literal[…]`.

    Raises:
        Unfit: the text is not one.
        TypeError: no variable can hold such a kind (the script's own mistake).
    """
    origin = get_origin(kind)
    if origin in (Union, UnionType):
        return _either(text, get_args(kind))
    if origin is Literal:
        return _one_of(text, get_args(kind))
    if origin in _CONTAINERS or kind in _CONTAINERS:
        return _several(text, origin or kind, get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _member(text, kind)
    if reader := (_READERS.get(kind) or _FOREIGN.get(_full_name(kind))):
        return reader(text)
    raise TypeError(f"a variable cannot hold {getattr(kind, '__name__', kind)}")


def is_optional(kind: Any) -> bool:
    """Tell whether `None` is a value of `kind`, so that the variable may be missing."""
    return get_origin(kind) in (Union, UnionType) and NoneType in get_args(kind)


def _either(text: str, kinds: tuple[Any, ...]) -> Any:
    if NoneType in kinds and text == "":
        return None
    fault = Unfit("cannot be read")
    for kind in kinds:
        if kind is NoneType:
            continue
        try:
            return value_of(text, kind)
        except Unfit as unfit:
            fault = unfit
    raise fault


def _one_of(text: str, choices: tuple[Any, ...]) -> Any:
    for choice in choices:
        if str(choice) == text:
            return choice
    raise Unfit(f"is unknown: {', '.join(str(choice) for choice in choices)}")


def _member(text: str, kind: type[Enum]) -> Enum:
    for member in kind:
        if text in (str(member.value), member.name) or text.lower() == member.name.lower():
            return member
    raise Unfit(f"is unknown: {', '.join(str(member.value) for member in kind)}")


def _several(text: str, container: Any, kinds: tuple[Any, ...]) -> Any:
    items = _items(text)
    if container is tuple and kinds and kinds[-1] is not Ellipsis:
        if len(items) != len(kinds):
            raise Unfit(f"has {len(items)} values; {len(kinds)} are expected")
        return tuple(value_of(item, kind) for item, kind in zip(items, kinds, strict=True))
    kind = kinds[0] if kinds else str
    return container(value_of(item, kind) for item in items)


def _items(text: str) -> list[str]:
    """Return the items of a JSON array, or of a list with commas."""
    if not text.lstrip().startswith("["):
        return [item.strip() for item in text.split(",") if item.strip()]
    try:
        items = json.loads(text)
    except ValueError:
        raise Unfit("begins like a JSON array and is none") from None
    return [item if isinstance(item, str) else json.dumps(item) for item in items]


def _bool(text: str) -> bool:
    word = text.strip().lower()
    if word in _YES or word in _NO:
        return word in _YES
    raise Unfit("is neither true nor false (true, false, yes, no, on, off, 1, 0)")


def _instant(text: str) -> datetime:
    instant = _reader(datetime.fromisoformat, "is not an instant like 2026-05-01T06:00:00Z")(text)
    if instant.tzinfo is None:
        raise Unfit("has no time zone: write it like 2026-05-01T06:00:00Z")
    return instant


def _duration(text: str) -> timedelta:
    from kirby.core.durations import parse_duration
    from kirby.core.errors import InvalidInput

    try:
        return parse_duration(text)
    except InvalidInput:
        raise Unfit('is no duration: write it with its unit, as "90 s", "5 min", "2 h"') from None


def _decimal(text: str) -> Any:
    from decimal import Decimal, InvalidOperation

    try:
        return Decimal(text.strip())
    except InvalidOperation:
        raise Unfit("is not a decimal number") from None


def _path(text: str) -> Any:
    from pathlib import Path

    return Path(text)


def _full_name(kind: Any) -> str:
    module = getattr(kind, "__module__", "").partition(".")[0]  # some Pythons: pathlib._local
    return f"{module}.{getattr(kind, '__qualname__', '')}"


def _reader(read: Callable[[str], T], sentence: str) -> Callable[[str], T]:
    def attempt(text: str) -> T:
        try:
            return read(text.strip())
        except ValueError:
            raise Unfit(sentence) from None

    return attempt


_CONTAINERS = (list, tuple, set, frozenset)
_READERS: dict[Any, Callable[[str], Any]] = {
    str: str,
    int: _reader(int, "is not a whole number"),
    float: _reader(float, "is not a number"),
    bool: _bool,
    date: _reader(date.fromisoformat, "is not a date like 2026-05-01"),
    datetime: _instant,
    timedelta: _duration,
}
# By name: a script that has no such variable need not wait for the module.
_FOREIGN: dict[str, Callable[[str], Any]] = {
    "decimal.Decimal": _decimal,
    "pathlib.Path": _path,
}

"""What a request says: its body, its parameters, and whether a browser wants a page."""

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from bottle import request

from kirby.core.document.table import Unfit
from kirby.core.document.values import instant
from kirby.core.errors import InvalidInput, TooLong

T = TypeVar("T")

BODY_LIMIT = 4 * 1024 * 1024  # bytes; a document of ten thousand contexts has about two
FORM = "application/x-www-form-urlencoded"


def body() -> dict[str, Any]:
    """Return what was sent: a JSON object, or the fields of a form.

    Raises:
        TooLong: more than the limit.
        InvalidInput: something else was sent.
    """
    if request.content_type.startswith(FORM):
        return dict(request.forms.decode())
    data = _bytes()
    if not data:
        return {}
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        raise InvalidInput("what was sent is no JSON") from None
    if not isinstance(found, dict):
        raise InvalidInput("what was sent is no JSON object")
    return found


def _bytes() -> bytes:
    if request.content_length > BODY_LIMIT:
        raise TooLong(f"more than {BODY_LIMIT // 1024**2} MiB were sent: send less at a time")
    data: bytes = request.body.read(BODY_LIMIT + 1)
    if len(data) > BODY_LIMIT:
        raise TooLong(f"more than {BODY_LIMIT // 1024**2} MiB were sent: send less at a time")
    return data


def wants_page() -> bool:
    """Tell whether a browser asks: HTML is named in Accept, and JSON is not."""
    accept = request.get_header("Accept", "")
    return "text/html" in accept and "application/json" not in accept


def text_of(data: dict[str, Any], name: str, default: str | None = None) -> str:
    """Return a text of a body.

    Raises:
        InvalidInput: it is missing, or something else.
    """
    value = data.get(name, default)
    if not isinstance(value, str) or "\x00" in value:
        raise InvalidInput(f'send "{name}" as a text', field=name)
    return value


def truth_of(data: dict[str, Any], name: str, default: bool) -> bool:
    """Return a truth of a body; forms send "true" and "false".

    Raises:
        InvalidInput: it is something else.
    """
    value = data.get(name, default)
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        raise InvalidInput(f'send "{name}" as true or false', field=name)
    return value


def parameter(name: str, read: Callable[[str], T], default: T) -> T:
    """Return a parameter of the address.

    Raises:
        InvalidInput: it cannot be read.
    """
    text = request.query.decode().get(name)
    if text is None or text == "":
        return default
    try:
        return read(text)
    except Unfit as unfit:
        raise InvalidInput(f'{name} "{text[:60]}"{unfit}', field=name) from None
    except ValueError:
        raise InvalidInput(f'{name} "{text[:60]}" cannot be read', field=name) from None


def number_parameter(name: str, default: int, least: int, most: int) -> int:
    """Return a number of the address, within limits.

    Raises:
        InvalidInput: it is no number, or outside.
    """
    found = parameter(name, int, default)
    if not least <= found <= most:
        raise InvalidInput(f"{name} {found}: use {least} to {most}", field=name)
    return found


def instant_parameter(name: str) -> datetime | None:
    """Return an instant of the address."""
    return parameter(name, _instant, None)


def _instant(text: str) -> datetime | None:
    # a plus sign that was not escaped arrives as a space
    return instant(text.replace(" ", "+"))

"""Values as JSON: plain ones, dataclasses, msgspec structs, instants, decimals, enums, paths."""

from pathlib import PurePath
from typing import Any

import msgspec

from kirby.core.errors import InvalidInput, UnreadableValue


def _unknown(value: Any) -> Any:
    if isinstance(value, PurePath):
        return str(value)
    raise NotImplementedError(f"a {type(value).__name__} is none of what JSON can hold")


_ENCODER = msgspec.json.Encoder(enc_hook=_unknown)


def encode(value: Any, topic: str) -> bytes | None:
    """Write a value as JSON; `None` becomes a record without a value (a tombstone).

    Raises:
        InvalidInput: it holds something that JSON cannot.
    """
    if value is None:
        return None
    try:
        return _ENCODER.encode(value)
    except (NotImplementedError, TypeError, ValueError, RecursionError) as fault:
        raise InvalidInput(
            f'topic "{topic}": the value cannot be sent as JSON: {fault}', field="value"
        ) from None


def encode_key(key: object) -> bytes | None:
    """Write a key: bytes as they are, everything else as its text."""
    if key is None or isinstance(key, bytes):
        return key
    return str(key).encode()


def decode(raw: bytes | None, kind: Any, where: str) -> Any:
    """Read a value as a `kind`; a record without a value gives `None`.

    Raises:
        UnreadableValue: it is not JSON, or not of that kind.
    """
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise UnreadableValue(f"{where} cannot be read: {fault}") from None


def decode_key(raw: bytes | None) -> str | None:
    """Read a key as text."""
    return None if raw is None else raw.decode(errors="replace")

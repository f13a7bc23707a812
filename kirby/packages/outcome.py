"""What a build process says at its end: one line of JSON."""

from typing import TypeAlias

import msgspec


class BuildReady(msgspec.Struct, frozen=True, kw_only=True, tag="ready"):
    """The environment is in its place."""

    path: str
    module: str
    seconds: float


class BuildFault(msgspec.Struct, frozen=True, kw_only=True, tag="failed"):
    """There is no environment."""

    kind: str  # the class of the error, as in core.errors
    sentence: str
    temporary: bool  # a later try may go well though nobody changed anything


Outcome: TypeAlias = BuildReady | BuildFault

_DECODER: msgspec.json.Decoder[Outcome] = msgspec.json.Decoder(BuildReady | BuildFault)


def encode_outcome(outcome: Outcome) -> bytes:
    """Write an outcome as a line."""
    return msgspec.json.encode(outcome) + b"\n"


def decode_outcome(line: bytes) -> Outcome | None:
    """Read an outcome; None where the line is not whole."""
    try:
        return _DECODER.decode(line)
    except msgspec.DecodeError:
        return None

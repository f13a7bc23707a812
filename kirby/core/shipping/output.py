"""Lines from the raw output of an attempt: frames taken apart, secrets taken out, lines cut.

Frames are as the shim writes them: wall clock nanoseconds, stream, length, then the bytes. What a
stream has said of an unfinished line is part of the state, so that reading can go on anywhere.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from kirby.core.errors import Damaged
from kirby.core.nouns import Noun
from kirby.core.records import Line, Stream
from kirby.core.shipping.redaction import Redactor

FRAME = struct.Struct("<QBI")
LARGEST_FRAME = 1_048_576  # the shim writes at most 64 KiB at once; more is no frame
LINE_LIMIT = 65_536  # bytes of a line; what is longer goes on as another line, marked as cut
NANOSECONDS = 1_000_000_000
_STREAMS = {1: Stream.OUT, 2: Stream.ERR, 3: Stream.LOG, 4: Stream.KIRBY}
_CONTINUES = 0b1000_0000  # the two highest bits of a byte that goes on with a character
_HIGHEST = 0b1100_0000


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What one read of the shim found on a stream."""

    at_ns: int
    stream: Stream
    data: bytes


class Unfinished(Noun, frozen=True, kw_only=True):
    """What a stream has said without ending a line."""

    held: bytes = b""  # perhaps the beginning of a secret
    text: bytes = b""
    began_ns: int = 0


def frames_in(data: bytes) -> tuple[list[Frame], int]:
    """Return the whole frames at the beginning of the bytes, and how many bytes they take.

    Raises:
        Damaged: what stands there is no frame.
    """
    frames: list[Frame] = []
    end = 0
    while len(data) - end >= FRAME.size:
        at_ns, number, length = FRAME.unpack_from(data, end)
        if number not in _STREAMS or length > LARGEST_FRAME:
            raise Damaged(f"its output has no frame at byte {end} of what was read")
        begin = end + FRAME.size
        if len(data) - begin < length:
            break
        data_of = data[begin : begin + length]
        frames.append(Frame(at_ns=at_ns, stream=_STREAMS[number], data=data_of))
        end = begin + length
    return frames, end


def last_frames(data: bytes, most: int) -> bytes:
    """Return whole frames from the end of raw output, of at least `most` bytes if there are.

    Raises:
        Damaged: what stands there is no frame.
    """
    begin = 0
    while len(data) - begin > most + FRAME.size:
        _, number, length = FRAME.unpack_from(data, begin)
        if number not in _STREAMS or length > LARGEST_FRAME:
            raise Damaged(f"its output has no frame at byte {begin} of what was read")
        if len(data) - begin - FRAME.size - length < most:
            break
        begin += FRAME.size + length
    return data[begin:]


def lines_of(
    frame: Frame, unfinished: Unfinished, redactor: Redactor
) -> tuple[list[Line], Unfinished]:
    """Return the lines that a frame ends, and what is unfinished after it."""
    if frame.stream is Stream.KIRBY:
        return [_line(frame.data, frame.at_ns, frame.stream)], unfinished
    seen, held = redactor.step(unfinished.held, frame.data)
    began = unfinished.began_ns if unfinished.text else frame.at_ns
    *whole, rest = (unfinished.text + seen).split(b"\n")
    lines: list[Line] = []
    for text in whole:
        lines.extend(_cut(text, began, frame.stream))
        began = frame.at_ns
    while len(rest) > LINE_LIMIT:
        end = _cut_at(rest)
        lines.append(_line(rest[:end], began, frame.stream, cut=True))
        rest, began = rest[end:], frame.at_ns
    return lines, Unfinished(held=held, text=rest, began_ns=began)


def last_line(stream: Stream, unfinished: Unfinished, redactor: Redactor) -> list[Line]:
    """Return what a stream said last without ending the line."""
    text = unfinished.text + redactor.redact_bytes(unfinished.held)
    return list(_cut(text, unfinished.began_ns, stream)) if text else []


def instant_of(at_ns: int) -> datetime:
    """Turn wall clock nanoseconds into an instant."""
    seconds, rest = divmod(at_ns, NANOSECONDS)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest // 1000)


def _cut(text: bytes, at_ns: int, stream: Stream) -> Iterator[Line]:
    while len(text) > LINE_LIMIT:
        end = _cut_at(text)
        yield _line(text[:end], at_ns, stream, cut=True)
        text = text[end:]
    yield _line(text, at_ns, stream)


def _cut_at(text: bytes) -> int:
    """Return where to cut: not within a character, if it is UTF-8."""
    for end in range(LINE_LIMIT, LINE_LIMIT - 4, -1):
        if text[end] & _HIGHEST != _CONTINUES:
            return end
    return LINE_LIMIT


def _line(data: bytes, at_ns: int, stream: Stream, *, cut: bool = False) -> Line:
    if stream is Stream.LOG and not cut:
        record = _log_record(data)
        if record is not None:
            return record.line(at_ns)
    text = data.removesuffix(b"\r").decode(errors="replace")
    return Line(at=instant_of(at_ns), stream=stream, text=text, cut=cut)


class _LogRecord(Noun, frozen=True, kw_only=True):
    """A line of the script library, as it came through the pipe."""

    text: str
    level: str = ""
    at: datetime | None = None
    fields: dict[str, object] = msgspec.field(default_factory=dict)
    cut: bool = False

    def line(self, at_ns: int) -> Line:
        fields = dict(self.fields)
        traceback = fields.pop("traceback", None)
        told = "".join(f"  {name}={_told(value)}" for name, value in fields.items())
        after = f"\n{traceback}" if traceback else ""
        return Line(
            at=self.at if self.at is not None and self.at.tzinfo else instant_of(at_ns),
            stream=Stream.LOG,
            text=f"{self.text}{told}{after}",
            level=self.level,
            cut=self.cut,
        )


def _told(value: object) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _log_record(data: bytes) -> _LogRecord | None:
    """Read a log record; None: whoever wrote to the pipe wrote something else."""
    try:
        return msgspec.json.decode(data, type=_LogRecord)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

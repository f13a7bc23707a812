"""The script's own log: one JSON line for each record, through the pipe that Kirby gave it."""

import json
import os
import stat
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

# PIPE_BUF of Linux: a write of at most this many bytes to a pipe is never mixed with another's.
LINE_LIMIT = 4096
_CUT = "…"


class Log:
    """Records with a level, a text and fields: `log.info("sales sent", count=118)`.

    Under Kirby they appear in the run's log with their level. Run by hand, the script writes them
    to standard error. A record longer than a line's limit (4096 bytes as JSON) is cut.
    """

    def __init__(self, environ: Mapping[str, str] = os.environ) -> None:
        self._environ = environ
        self._pipe: int | None = None
        self._is_open = False

    def debug(self, text: str, *args: object, **fields: object) -> None:
        """Write what helps to follow the script; `args` fill the `%s` of the text."""
        self.record("debug", text, *args, **fields)

    def info(self, text: str, *args: object, **fields: object) -> None:
        """Write what happened."""
        self.record("info", text, *args, **fields)

    def warning(self, text: str, *args: object, **fields: object) -> None:
        """Write what is odd, and did not stop the script."""
        self.record("warning", text, *args, **fields)

    def error(self, text: str, *args: object, **fields: object) -> None:
        """Write what went wrong."""
        self.record("error", text, *args, **fields)

    def exception(self, text: str, *args: object, **fields: object) -> None:
        """Write what went wrong, with the traceback of the exception that is being handled."""
        import traceback

        self.record("error", text, *args, **fields, traceback=traceback.format_exc().rstrip())

    def record(self, level: str, text: str, *args: object, **fields: object) -> None:
        """Write one record of a level."""
        text, at = _filled(text, args), datetime.now(UTC)
        pipe = self._opened()
        if pipe is None:
            sys.stderr.write(_for_people(at, level, text, fields))
        else:
            os.write(pipe, line_of(at, level, text, fields))

    def _opened(self) -> int | None:
        """Return the descriptor of the pipe, looked for once; `None` outside Kirby."""
        if not self._is_open:
            self._is_open = True
            self._pipe = _pipe_of(self._environ.get("KIRBY_LOG_FD", ""))
        return self._pipe


def line_of(at: datetime, level: str, text: str, fields: Mapping[str, object]) -> bytes:
    """Return a record as one JSON line of at most `LINE_LIMIT` bytes.

    What does not fit is cut out of the longest of its texts, in the middle, as a traceback says
    most at its end.
    """
    record: dict[str, Any] = {"at": _stamp(at), "level": level, "text": text}
    if fields:
        record["fields"] = dict(fields)
    line = _encoded(record)
    if len(line) <= LINE_LIMIT:
        return line
    return _cut(text, fields, record)


def _cut(text: str, fields: Mapping[str, object], record: dict[str, Any]) -> bytes:
    parts = {f".{name}": _as_text(value) for name, value in fields.items()} | {"": text}
    record["cut"] = True
    while True:
        record["text"] = parts[""]
        record["fields"] = {name[1:]: value for name, value in parts.items() if name}
        line = _encoded(record)
        over = len(line) - LINE_LIMIT
        if over <= 0:
            return line
        longest = max(parts, key=lambda name: len(parts[name]))
        if len(parts[longest]) <= len(_CUT):  # nothing but countless fields
            parts = {"": text}
        else:
            parts[longest] = _without_middle(parts[longest], over)


def _without_middle(text: str, over: int) -> str:
    keep = max(0, len(text) - over // 6 - len(_CUT) - 1)  # a character is at most 6 bytes of JSON
    head = keep // 3
    return text[:head] + _CUT + text[len(text) - (keep - head) :]


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else _encoded(value).decode().rstrip("\n")


def _encoded(value: object) -> bytes:
    try:
        return (json.dumps(value, default=str, separators=(",", ":")) + "\n").encode()
    except (TypeError, ValueError):  # keys that are no texts, or a structure that holds itself
        if isinstance(value, dict) and "fields" in value:
            return _encoded({**value, "fields": {k: repr(v) for k, v in value["fields"].items()}})
        return _encoded(repr(value))


def _filled(text: str, args: tuple[object, ...]) -> str:
    if not args:
        return str(text)
    try:
        return text % args
    except (TypeError, ValueError):  # a record that cannot be filled in must not end the script
        return f"{text} {args}"


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")


def _for_people(at: datetime, level: str, text: str, fields: Mapping[str, object]) -> str:
    told = dict(fields)
    traceback = told.pop("traceback", None)
    shown = "".join(f"  {name}={value}" for name, value in told.items())
    after = f"\n{traceback}" if traceback else ""
    return f"{at.astimezone():%H:%M:%S.%f}"[:12] + f" {level:<7} {text}{shown}{after}\n"


def _pipe_of(number: str) -> int | None:
    """Return the descriptor if it is a pipe: a child may have the variable and another file."""
    try:
        descriptor = int(number)
        return descriptor if stat.S_ISFIFO(os.fstat(descriptor).st_mode) else None
    except (ValueError, OSError):
        return None


log = Log()

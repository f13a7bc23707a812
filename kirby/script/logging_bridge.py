"""Lets the records of Python's `logging`, which libraries write, land in the script's log."""

import logging

from kirby.script.logger import Log, log


class LogHandler(logging.Handler):
    """A handler for `logging`: `logging.getLogger().addHandler(LogHandler())`."""

    def __init__(self, to: Log = log, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._log = to

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, with its logger's name and its traceback if it has one."""
        try:
            fields: dict[str, object] = {"logger": record.name}
            if record.exc_info:
                fields["traceback"] = logging.Formatter().formatException(record.exc_info)
            self._log.record(_level_of(record.levelno), record.getMessage(), **fields)
        except Exception:
            self.handleError(record)


def _level_of(number: int) -> str:
    if number >= logging.ERROR:
        return "error"
    if number >= logging.WARNING:
        return "warning"
    return "info" if number >= logging.INFO else "debug"

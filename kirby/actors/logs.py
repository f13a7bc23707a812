"""Log records of actors: all of them to Thespian's logger, also those of loggers made before.

Thespian gives every actor a logging root of its own. A logger that a module made at its import, in
the process that the actors are forked from, still hangs on the root of that process.
"""

import logging
from typing import Any

from kirby.host.state import StateFolder

LOG_BYTES = 10_000_000
LOGS_KEPT = 3

_root_before = logging.getLogger()  # this module is imported before the actors are forked


class _HandOn(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logging.root.handle(record)


def join_early_loggers() -> None:
    """Have loggers that were made before the fork log as the others do; twice is harmless."""
    if logging.root is not _root_before:
        _root_before.handlers = [_HandOn()]
        _root_before.setLevel(logging.INFO)


def log_settings(folder: StateFolder) -> dict[str, Any]:
    """Return where the actors' log records go: `log/actors.log`, turned over."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "line": {"format": "%(asctime)s %(levelname)-7s %(name)s  %(message)s"},
        },
        "handlers": {
            "file": {
                "class": "logging.handlers.RotatingFileHandler",
                "filename": str(folder.log / "actors.log"),
                "maxBytes": LOG_BYTES,
                "backupCount": LOGS_KEPT,
                "formatter": "line",
            }
        },
        "root": {"level": "INFO", "handlers": ["file"]},
    }

"""Log records of actors: all of them to Thespian's logger, also those of loggers made before.

Thespian gives every actor a logging root of its own. A logger that a module made at its import, in
the process that the actors are forked from, still hangs on the root of that process.
"""

import logging

_root_before = logging.getLogger()


class _HandOn(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        logging.root.handle(record)


def join_early_loggers() -> None:
    """Have loggers that were made before the fork log as the others do; twice is harmless."""
    if logging.root is not _root_before:
        _root_before.handlers = [_HandOn()]
        _root_before.setLevel(logging.INFO)

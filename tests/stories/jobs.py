"""Jobs of a document, as stories name them: an errand is a run, a servant is a daemon."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).parent / "scripts"
ERRAND = "errand==1.0.0"
RUN_BY_HAND: tuple[str, ...] = ()

Job = dict[str, Any]


def errand(do: str, *schedule: str | Mapping[str, str], **context: Any) -> Job:
    """Return a scheduled job that does something of `scripts/errand.py`; `prod` alone.

    Args:
        do: the name of the function there.
        schedule: cron lines; without any it runs by hand only.
        context: variables of the script in capitals, keys of the context in small letters.
    """
    return {"package": ERRAND, "prod": _context(do, context, schedule=list(schedule))}


def servant(do: str = "serve", **context: Any) -> Job:
    """Return a daemon that does something of `scripts/errand.py`, on every host."""
    return {"kind": "daemon", "package": ERRAND, "prod": _context(do, context)}


def _context(do: str, given: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    variables = {name: str(value) for name, value in given.items() if name.isupper()}
    keys = {name: value for name, value in given.items() if not name.isupper()}
    return {**more, **keys, "set": {"DO": do, **variables}}

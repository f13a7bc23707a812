"""Kirby runs scheduled scripts once in the whole cluster and daemons all the time.

A script imports from here what it needs: `from kirby import Context, Topic, log`. Each name is
loaded when it is first asked for, so that importing Kirby costs next to nothing.
"""

TYPE_CHECKING = False  # type checkers take it for true; `typing` alone takes as long as Python

if TYPE_CHECKING:
    from kirby.script.context import Context as Context
    from kirby.script.logger import log as log
    from kirby.script.logging_bridge import LogHandler as LogHandler
    from kirby.script.record import Record as Record
    from kirby.script.stopping import StopAsked as StopAsked
    from kirby.script.topic import Topic as Topic

__version__ = "0.1.0"

_HOME = {
    "Context": "kirby.script.context",
    "LogHandler": "kirby.script.logging_bridge",
    "Record": "kirby.script.record",
    "StopAsked": "kirby.script.stopping",
    "Topic": "kirby.script.topic",
    "log": "kirby.script.logger",
}

__all__ = ["Context", "LogHandler", "Record", "StopAsked", "Topic", "log"]


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOME])

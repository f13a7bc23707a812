"""What people ask for."""

from datetime import datetime

from kirby.core.names import (
    ContextKey,
    RunId,
)
from kirby.core.records.record import Record


class RunRequest(Record, frozen=True, kw_only=True, tag="run"):
    """A person asks for a run now; `run` was drawn by the web service. Key: context."""

    context: ContextKey
    run: RunId
    asked_by: str
    at: datetime
    revision: int = 0  # of the context, as whoever asked has seen it


class StopRequest(Record, frozen=True, kw_only=True, tag="stop"):
    """A person asks for the end of a run. Key: context."""

    context: ContextKey
    run: RunId
    asked_by: str
    at: datetime


class RestartRequest(Record, frozen=True, kw_only=True, tag="restart"):
    """A person asks for new instances of a daemon. Key: context."""

    context: ContextKey
    asked_by: str
    at: datetime

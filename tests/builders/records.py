"""Records of the topics, with defaults, as hosts and leaders write them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from kirby.core.names import (
    ContextKey,
    Epoch,
    FencingToken,
    Host,
    Incarnation,
    RunId,
    StateFolderId,
    run_id,
)
from kirby.core.nouns import AttemptEnd, RunEnd
from kirby.core.records import Beat, Ended, Exited, Heartbeat, Offered

DUE = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
RUN = run_id(ContextKey("pump/prod"), DUE)
ALPHA = Host("alpha")


def of_step(
    run: str = RUN, attempt: int = 1, host: Host = ALPHA, at: datetime = DUE
) -> dict[str, Any]:
    """Return the fields that all steps share."""
    return {
        "run": run,
        "attempt": attempt,
        "context": ContextKey(run.split("@")[0].split("#")[0]),
        "host": host,
        "incarnation": Incarnation(7),
        "at": at,
    }


def an_offered(run: RunId = RUN, attempt: int = 1, **given: Any) -> Offered:
    """Return the leader's note that an attempt was offered."""
    fields: dict[str, Any] = {
        "context": ContextKey(run.split("@")[0]),
        "epoch": Epoch(3),
        "token": FencingToken(attempt),
        "due": DUE,
        "not_before": DUE,
        "deadline": DUE + timedelta(minutes=5),
        "at": DUE - timedelta(seconds=2),
        "package": "pump==1.0",
    }
    return Offered(run=run, attempt=attempt, **{**fields, **given})


def an_exited(run: str = RUN, attempt: int = 1, **given: Any) -> Exited:
    """Return a host's note that an attempt ended, well by default."""
    fields: dict[str, Any] = {"end": AttemptEnd.SUCCEEDED, "exit_status": 0, "seconds": 0.4}
    at = given.pop("at", DUE + timedelta(seconds=0.4))
    return Exited(**of_step(run, attempt, at=at), **{**fields, **given})


def an_ended(run: RunId = RUN, end: RunEnd = RunEnd.SUCCEEDED, **given: Any) -> Ended:
    """Return the leader's end of a fire."""
    fields: dict[str, Any] = {
        "context": ContextKey(run.split("@")[0]),
        "due": DUE,
        "reason": "",
        "attempts": 1,
        "epoch": Epoch(3),
        "at": DUE + timedelta(seconds=0.5),
    }
    return Ended(run=run, end=end, **{**fields, **given})


def a_heartbeat(host: Host = ALPHA, sent: datetime = DUE, **given: Any) -> Heartbeat:
    """Return a host's heartbeat."""
    fields: dict[str, Any] = {
        "incarnation": Incarnation(7),
        "state_folder": StateFolderId("f00d"),
        "started": DUE - timedelta(hours=1),
        "version": "0.1.0",
        "slots": 8,
        "free_slots": 6,
    }
    return Heartbeat(host=host, sent=sent, **{**fields, **given})


def a_beat(host: Host = ALPHA, epoch: int = 3, at: datetime = DUE) -> Beat:
    """Return a leader's beat."""
    return Beat(host=host, epoch=Epoch(epoch), at=at, since=DUE - timedelta(hours=1))

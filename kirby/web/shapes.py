"""The shapes of the API: views of the model as plain data, named as the reference names them."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from kirby.core.document.difference_variables import Change
from kirby.core.nouns import CronLine, Definition, Policies, Suspension
from kirby.model.cluster import DaemonView, HostView
from kirby.model.registration import UsageNote
from kirby.model.roll_outs import RollOutView
from kirby.model.runs import AttemptView, Fire, RunView, StretchView
from kirby.web.telling import why_it_claims_nothing

LOG_FIELDS = ("log_partition", "log_first", "log_last")


def change(each: Change) -> dict[str, Any]:
    """Return CHANGE."""
    return asdict(each)


def plain(each: Any) -> dict[str, Any]:
    """Return a view as it is."""
    return asdict(each)


def schedules(lines: Iterable[CronLine]) -> list[dict[str, str]]:
    """Return the schedules of a context."""
    return [{"cron": line.cron, "zone": line.zone} for line in lines]


def policies(laid_down: Policies) -> dict[str, Any]:
    """Return the policies of a context, durations in seconds."""
    values = {name: getattr(laid_down, name) for name in laid_down.__struct_fields__}
    return {
        name: value.total_seconds() if isinstance(value, timedelta) else value
        for name, value in values.items()
    }


def hosts_of(definition: Definition) -> Any:
    """Return where a daemon belongs."""
    hosts = definition.hosts
    return list(hosts) if isinstance(hosts, tuple) else hosts


def window(context: str, each: Suspension) -> dict[str, Any]:
    """Return SUSPENSION without its id."""
    return {"context": context, "start": each.start, "end": each.end, "reason": each.reason}


def suspension(row: Any) -> dict[str, Any]:
    """Return SUSPENSION."""
    return {
        "id": row.id,
        "context": row.context_id,
        "start": row.start,
        "end": row.end,
        "reason": row.reason,
        "by": row.by,
        "made": row.made,
    }


def usage(note: UsageNote) -> dict[str, Any]:
    """Return USAGE."""
    return asdict(note)


def fire(each: Fire) -> dict[str, Any]:
    """Return RUN or STRETCH."""
    return run(each) if isinstance(each, RunView) else stretch(each)


def run(view: RunView) -> dict[str, Any]:
    """Return RUN."""
    last = view.last
    return {
        "run": view.id,
        "context": view.context,
        "due": view.due,
        "manual": view.manual,
        "asked_by": view.asked_by,
        "state": view.state,
        "end": view.end,
        "reason": view.reason,
        "begun": view.begun,
        "ended": view.ended,
        "attempts": view.attempts,
        "host": last.host if last is not None else "",
        "package": last.package if last is not None else "",
        "late_us": last.late_us if last is not None else None,
        "seconds": last.seconds if last is not None else None,
        "tries": [attempt(each) for each in view.tries],
    }


def attempt(view: AttemptView) -> dict[str, Any]:
    """Return one of `tries`."""
    found = asdict(view)
    for name in (*LOG_FIELDS, "incarnation", "context", "run"):
        del found[name]
    return {**found, "state": view.state}


def stretch(view: StretchView) -> dict[str, Any]:
    """Return STRETCH."""
    return {
        "stretch": True,
        "context": view.context,
        "due": view.last,
        "first": view.first,
        "last": view.last,
        "count": view.fires,
        "end": view.end,
        "reason": view.reason,
    }


def recent(fires: Sequence[Fire]) -> list[dict[str, Any]]:
    """Return the strip of a context's last fires, the earliest first."""
    return [_block(each) for each in reversed(fires)]


def _block(each: Fire) -> dict[str, Any]:
    if isinstance(each, StretchView):
        return {"due": each.last, "end": each.end, "state": "ended", "count": each.fires,
                "run": None, "seconds": None}  # fmt: skip
    return {
        "due": each.due,
        "end": each.end,
        "state": each.state,
        "count": 1,
        "run": each.id,
        "seconds": each.last.seconds if each.last is not None else None,
    }


def daemon(view: DaemonView) -> dict[str, Any]:
    """Return DAEMON."""
    found = asdict(view)
    return {"instance": found.pop("id"), **found}


def roll_out(view: RollOutView) -> dict[str, Any]:
    """Return ROLLOUT."""
    return asdict(view)


def host(view: HostView, now: datetime) -> dict[str, Any]:
    """Return HOST."""
    found = asdict(view)
    return {"host": found.pop("name"), **found, "obstacle": why_it_claims_nothing(view, now)}

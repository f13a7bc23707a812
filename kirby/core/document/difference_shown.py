"""How the fields of a context are shown: as a document writes them."""

from collections.abc import Sequence
from datetime import timedelta
from enum import Enum
from typing import Any

from kirby.core.durations import write_duration, write_size
from kirby.core.nouns import CronLine, Hosts

SIZES = frozenset({"memory_limit", "output_limit"})


def shown_schedules(schedules: Sequence[CronLine]) -> str:
    """Write schedules on one line, each with its zone unless it is UTC."""
    return ", ".join(
        line.cron if line.zone == "UTC" else f"{line.cron} {line.zone}" for line in schedules
    )


def shown_hosts(hosts: Hosts) -> str:
    """Write where a daemon belongs."""
    return ", ".join(hosts) if isinstance(hosts, tuple) else str(hosts)


def shown_policy(name: str, value: Any) -> str:
    """Write a policy's value; what has none is "none" (a start window: "by itself")."""
    match value:
        case None:
            return "by itself" if name == "start_window" else "none"
        case bool():
            return str(value).lower()
        case timedelta():
            return write_duration(value)
        case Enum():
            return str(value.value)
        case int() if name in SIZES:
            return write_size(value)
        case _:
            return str(value)

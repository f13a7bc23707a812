"""A host's processes by the names that stories use, as `kirby status --json` tells of them."""

from collections.abc import Mapping
from typing import Any

import psutil

ROLES = ("scheduler", "runner", "arbiter", "recorder")
SERVICES = ("Kafka", "shim", "web service")

Status = Mapping[str, Any]


def pids_of(part: str, status: Status) -> set[int]:
    """Return the processes of a part: an actor's role, `watchdogs`, `supervisor`, `admin`,

    `start process`, `all actors` (admin and logger included), `all but the shim`, or a service's
    name.
    """
    match part:
        case "start process":
            return {status["pid"]}
        case "admin":
            return {status["admin_pid"]}
        case "supervisor":
            return {status["supervisor"]["pid"]}
        case "all actors":
            return forks_of(status["pid"])
        case "all but the shim":
            parts = ("start process", "all actors", "Kafka", "web service")
            return set().union(*(pids_of(each, status) for each in parts))
        case "watchdogs":
            return {a["pid"] for a in actors(status) if a["name"].startswith("watchdog")}
        case _ if part in SERVICES:
            return {s["pid"] for s in status["services"] if s["name"] == part}
        case _:
            return {a["pid"] for a in actors(status) if a["name"] == part}


def is_whole(status: Status | None) -> bool:
    """Whether every part of a host runs, leads and may claim."""
    if status is None or status["supervisor"] is None or not status["supervisor"]["leader"]:
        return False
    if any(service["pid"] is None or service["mending"] for service in status["services"]):
        return False
    running = {a["name"]: a["facts"] for a in actors(status) if a["state"] == "running"}
    if not all(running.get(role) for role in ROLES):
        return False
    return bool(running["runner"]["may_claim"] and running["scheduler"]["state"] == "leading")


def all_pids(status: Status) -> set[int]:
    """Return every process that a status names, scripts excepted."""
    services = {service["pid"] for service in status["services"]}
    supervisor = status["supervisor"] or {"pid": None}
    named = {status["pid"], status["admin_pid"], supervisor["pid"]}
    return (services | named | {actor["pid"] for actor in actors(status)}) - {None}


def actors(status: Status) -> list[dict[str, Any]]:
    """Return the Supervisor's children."""
    found: list[dict[str, Any]] = (status["supervisor"] or {}).get("actors", [])
    return found


def forks_of(pid: int) -> set[int]:
    """Return what a start process forked and that never became another program: the actors."""
    start = psutil.Process(pid)
    command = start.cmdline()
    found = set()
    for child in start.children(recursive=True):
        try:
            if child.cmdline() == command:
                found.add(child.pid)
        except psutil.NoSuchProcess:
            continue
    return found

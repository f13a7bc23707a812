"""A host's status for people: what runs, since when, with which pid."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from kirby.core.prose import tell_ordinal


def lines_of(status: Mapping[str, Any]) -> Iterator[str]:
    """Yield the lines of a status, as the start process answers it."""
    since = datetime.fromisoformat(status["since"]).astimezone()
    yield f"{status['host']}  {status['address']}:{status['port']}  since {since:%d %b %H:%M}"
    yield f"state folder  {status['state']}"
    yield from _lead(status["supervisor"])
    yield from _peers(status["supervisor"])
    yield _line("start process", status["pid"])
    for service in status["services"]:
        yield _service(service)
    yield _line("admin", status["admin_pid"])
    yield from _actors(status["supervisor"])
    for script in status["scripts"]:
        yield _line(script["run"], script["pid"])


def _service(service: Mapping[str, Any]) -> str:
    mending = service.get("mending")
    if not mending:
        return _line(service["name"], service["pid"])
    since = datetime.fromisoformat(mending["since"]).astimezone()
    tries = f", {tell_ordinal(mending['tries'])} try" if mending["tries"] > 1 else ""
    because = mending["because"]
    return (
        f"  {service['name']:<18} being restarted since {since:%H:%M:%S}{tries}, because {because}"
    )


def _lead(supervisor: Mapping[str, Any] | None) -> Iterator[str]:
    if supervisor is None:
        yield "the Supervisor does not answer"
    elif supervisor["leader"]:
        yield f"leader  {supervisor['leader']}, epoch {supervisor['epoch']}"
    else:
        yield f"no leader is known; this host is {supervisor['stance']}"


def _peers(supervisor: Mapping[str, Any] | None) -> Iterator[str]:
    peers = supervisor.get("peers", {}) if supervisor else {}
    for host, said in peers.items():
        seconds = said["heard_seconds_ago"]
        heard = f"{said['stance']}, heard {seconds:g} s ago" if seconds is not None else "not heard"
        yield f"host  {host}  {heard}"


def _actors(supervisor: Mapping[str, Any] | None) -> Iterator[str]:
    if supervisor is None:
        return
    yield _line("supervisor", supervisor["pid"])
    for actor in supervisor["actors"]:
        note = f"created anew {actor['recreated']} times" if actor["recreated"] else ""
        state = actor["state"] if actor["state"] != "running" else note
        yield _line(actor["name"], actor["pid"], state)
        for obstacle in actor.get("facts", {}).get("obstacles", ()):
            yield f"  {'':<18} kept from claiming: {obstacle}"


def _line(name: str, pid: int | None, note: str = "") -> str:
    where = f"pid {pid}" if pid else "not running"
    return f"  {name:<18} {where}  {note}".rstrip()

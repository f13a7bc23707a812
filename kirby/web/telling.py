"""How instants, ends and measures are written on pages."""

from datetime import datetime, timedelta
from urllib.parse import quote

from kirby.core.durations import write_took
from kirby.core.nouns import RunEnd
from kirby.core.prose import tell_distance, tell_instant
from kirby.core.records import BuildState
from kirby.model.cluster import HostView
from kirby.model.runs import Fire, RunState, RunView, StretchView
from kirby.web.html import Html, e

NOTHING = "–"
SILENT = "it is off, or its shim or Kafka does not answer: see 'kirby status' there"
WORDS = {
    RunState.WAITING: "waiting",
    RunState.STARTING: "starting",
    RunState.RUNNING: "running",
    RunState.STOPPING: "stopping",
}


def instant(at: datetime | None, now: datetime, zone: str = "UTC") -> Html:
    """Write an instant in a zone's local time, the whole of it as its title."""
    if at is None:
        return Html(NOTHING)
    whole = at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return e("time", tell_instant(at, now, zone), datetime=whole, title=f"{whole}, {zone}")


def distance(at: datetime | None, now: datetime) -> Html:
    """Write how far off an instant is."""
    if at is None:
        return Html(NOTHING)
    whole = at.isoformat(timespec="seconds").replace("+00:00", "Z")
    return e("time", tell_distance(at, now), datetime=whole, title=whole)


def run_path(run: str) -> str:
    """Return the address of a run, or of a daemon's instance."""
    return f"/runs/{quote(run, safe='/@:~')}"


def took(seconds: float | None) -> str:
    """Write how long something took."""
    return NOTHING if seconds is None else write_took(timedelta(seconds=seconds))


def late(microseconds: int | None) -> str:
    """Write how late something began."""
    return NOTHING if microseconds is None else write_took(timedelta(microseconds=microseconds))


def size(size_bytes: int | None) -> str:
    """Write a number of bytes, rounded."""
    if not size_bytes:
        return NOTHING
    return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 1e6 else f"{size_bytes / 1e3:.0f} kB"


def end_word(fire: Fire) -> str:
    """Name how a fire ended, or how far it is."""
    if isinstance(fire, RunView) and fire.end is None:
        return WORDS[fire.state]
    end: RunEnd | None = fire.end
    return end.value if end is not None else NOTHING


def end_class(fire: Fire) -> str:
    """Name the style of an end."""
    return "end-" + end_word(fire).replace(" ", "-")


def end_badge(fire: Fire) -> Html:
    """Write an end as a small coloured word."""
    return e("span", end_word(fire), class_=f"end {end_class(fire)}")


def fire_title(fire: Fire) -> str:
    """Describe a fire in one line, for a pointer that rests on it."""
    due = fire.due.isoformat(timespec="seconds").replace("+00:00", "Z")
    count = f" ({fire.fires} fires)" if isinstance(fire, StretchView) else ""
    reason = f": {fire.reason}" if fire.reason else ""
    return f"{due} {end_word(fire)}{count}{reason}"


def why_it_claims_nothing(host: HostView, now: datetime) -> str:
    """Tell what keeps a host from claiming, as far as its heartbeat shows; empty: nothing does."""
    if not host.alive:
        silence = took((now - host.heard).total_seconds())
        return f"silent for {silence}: {SILENT}"
    if host.draining:
        return "being drained: what it holds goes on"
    if host.free_slots <= 0:
        return f"no slot is free of {host.slots}"
    failed = [build for build in host.builds if build["state"] == BuildState.FAILED.value]
    return "; ".join(f"not {b['package']}: {b.get('reason') or 'its build failed'}" for b in failed)

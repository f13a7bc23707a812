"""The page of runs, and the rows that others show, too."""

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from kirby.core.nouns import RunEnd
from kirby.model.runs import Fire, RunFilter, RunView, StretchView
from kirby.web.caller import Caller
from kirby.web.frame import EVERY_S, command, page, table
from kirby.web.html import Child, Html, e, join
from kirby.web.parts import Parts
from kirby.web.telling import NOTHING, end_badge, instant, late, run_path, took

RUN_HEAD = ("end", "late", "took", "attempt", "host", "why")


def run_table(
    fires: Sequence[Fire], now: datetime, empty: str, zone: str = "UTC", named: bool = False
) -> Html:
    """Write fires as a table.

    Args:
        fires: the latest first.
        now: for leaving out today's date.
        empty: what is said where there are none.
        zone: in which instants are told.
        named: whether each row names its context.
    """
    head = (f"due ({zone.rpartition('/')[2]})", *(["context"] if named else []), *RUN_HEAD)
    rows = [_row(fire, now, zone, named) for fire in fires]
    return table(head, rows, empty)


def _row(fire: Fire, now: datetime, zone: str, named: bool) -> list[Child]:
    name: list[Child] = [_context(fire.context)] if named else []
    if isinstance(fire, StretchView):
        span = join([instant(fire.first, now, zone), " to ", instant(fire.last, now, zone)])
        why = e("small", f"{fire.fires} fires; {fire.reason}")
        return [span, *name, end_badge(fire), *[NOTHING] * 4, why]
    return [e("a", instant(fire.due, now, zone), href=run_path(fire.id)), *name, *_run(fire)]


def _run(run: RunView) -> list[Child]:
    last = run.last
    return [
        end_badge(run),
        late(last.late_us if last is not None else None),
        took(last.seconds if last is not None else None),
        str(run.attempts or NOTHING),
        last.host if last is not None and last.host else NOTHING,
        _why(run),
    ]


def _why(run: RunView) -> Html:
    parts = [run.reason] if run.reason else []
    if run.asked_by:
        parts.append(f"asked for by {run.asked_by}")
    parts += [
        f"attempt {each.attempt}: {each.reason or (each.end.value if each.end else '')}"
        for each in run.tries[:-1]
    ]
    return e("small", "; ".join(parts))


def _context(context: str) -> Html:
    return e("a", context, href=f"/contexts/{context}")


def runs_page(
    parts: Parts, caller: Caller, found: Sequence[Fire], wanted: RunFilter, more: str | None
) -> str:
    """Write the page of runs."""
    contexts = wanted.contexts or ()
    query = {"context": ",".join(contexts)} if contexts else {}
    if wanted.end is not None:
        query["end"] = wanted.end.value
    older = f"/runs?{urlencode({**query, 'before': more})}" if more is not None else None
    of = f" of {', '.join(contexts)}" if contexts else ""
    same = " ".join(["kirby runs", *contexts])
    return page(
        parts,
        caller,
        "Runs",
        e("h1", f"Runs{of} ", command(same)),
        _choices(wanted, ",".join(contexts)),
        run_table(found, parts.now(), "There are no such runs.", named=True),
        e("p", e("a", "older", href=older)) if older is not None else None,
        every_s=EVERY_S if wanted.before is None else None,
    )


def _choices(wanted: RunFilter, contexts: str) -> Html:
    """Offer the runs of one end only."""
    everything = _here(wanted.end is None)
    links = [
        e("a", "all", href=_address(contexts, None), aria_current=everything, class_="end end-all")
    ]
    links += [
        e(
            "a",
            end.value,
            href=_address(contexts, end),
            aria_current=_here(wanted.end is end),
            class_=f"end end-{end.value.replace(' ', '-')}",
        )
        for end in RunEnd
    ]
    return e("p", links, class_="choices")


def _here(chosen: bool) -> str | None:
    return "true" if chosen else None


def _address(contexts: str, end: RunEnd | None) -> str:
    query = {"context": contexts} if contexts else {}
    if end is not None:
        query["end"] = end.value
    return f"/runs?{urlencode(query)}" if query else "/runs"

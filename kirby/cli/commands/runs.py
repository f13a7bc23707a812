"""The ledger: every fire with its end."""

from argparse import Namespace
from typing import Any

from kirby.cli.connecting import service_of
from kirby.cli.service import Service
from kirby.cli.terminal import Cell, Terminal
from kirby.cli.words import DASH, at, late, styled, took
from kirby.core.errors import ExitCode

PAGE = 500  # the service answers no more at once


def runs(given: Namespace, terminal: Terminal) -> ExitCode:
    """List runs and stretches."""
    service = service_of(given)
    context = None
    if given.job:
        context = service.get("/resolve", name=given.job, env=given.env)["context"]
    found = fetch(service, given, context)
    terminal.data({"runs": found})
    if not found:
        terminal.say("no runs yet")
        return ExitCode.OK
    terminal.table(
        ("job", "due (UTC)", "late", "attempt", "host", "took", "end", ""),
        [(run["context"], *_row(run)) for run in found],
    )
    return ExitCode.OK


def fetch(service: Service, given: Namespace, context: str | None) -> list[dict[str, Any]]:
    """Ask for as many as are wanted, page by page."""
    found: list[dict[str, Any]] = []
    before = None
    wanted = None if given.all else given.limit
    while wanted is None or len(found) < wanted:
        answer = service.get(
            "/runs",
            context=context,
            since=given.since,
            until=given.until,
            end=given.end,
            limit=PAGE if wanted is None else min(PAGE, wanted - len(found)),
            before=before,
        )
        found += answer["runs"]
        before = answer["more"]
        if not before:
            break
    return found


def _row(run: dict[str, Any]) -> tuple[Cell, ...]:
    if run.get("stretch"):
        reason = f"{run['count']} fires since {at(run['first'])}: {run['reason']}"
        return at(run["due"]), DASH, DASH, DASH, DASH, styled(run["end"]), reason
    return (
        at(run["due"]),
        late(run["late_us"]),
        str(run["attempts"] or DASH),
        run["host"] or DASH,
        took(run["seconds"]),
        styled(run["end"] or run["state"]),
        run["reason"] or "",
    )

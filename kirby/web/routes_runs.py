"""Runs: listed, looked at, stopped, read."""

from datetime import datetime
from itertools import islice
from typing import Any

from bottle import Bottle, redirect

from kirby.core.document.values import one_of
from kirby.core.errors import Conflict, NotFound
from kirby.core.names import RunId, context_of, is_instance
from kirby.core.nouns import Definition, RunEnd
from kirby.core.planning.fires import fires_of
from kirby.core.records import StopRequest
from kirby.model.definitions import Context
from kirby.model.runs import LIMIT, Fire, RunFilter, attempts_of, fires, place, run_view
from kirby.model.schedule import definitions
from kirby.web import shapes
from kirby.web.asking import instant_parameter, number_parameter, parameter, wants_page
from kirby.web.caller import caller_of
from kirby.web.contexts_view import suspended
from kirby.web.log_view import WAIT_LIMIT_S, LogView
from kirby.web.naming import contexts_named, resolve
from kirby.web.page_asked import asked_page
from kirby.web.page_run import log_page, run_page
from kirby.web.page_runs import runs_page
from kirby.web.parts import Parts
from kirby.web.telling import run_path

ASKED_NOW = "now"
NEXT_LIMIT = 1000
SEPARATOR = " "  # in `more`: neither instants nor run ids have one


def add(app: Bottle, parts: Parts) -> None:
    """Add the routes."""
    logs = LogView(logs=parts.logs)
    _add_lists(app, parts)
    _add_log(app, parts, logs)
    _add_stop(app, parts)
    _add_run(app, parts, logs)  # last: its pattern takes what the others leave


def _add_lists(app: Bottle, parts: Parts) -> None:
    @app.get("/runs")
    def listed() -> Any:
        caller = caller_of(parts)
        wanted = _filter()
        found = fires(wanted)
        more = _cursor(found[-1]) if len(found) >= wanted.limit else None
        if wants_page():
            return runs_page(parts, caller, found, wanted, more)
        return {"runs": [shapes.fire(each) for each in found], "more": more}

    @app.get("/next")
    def following() -> Any:
        caller_of(parts)
        names = _names()
        chosen = [Context.key.in_(contexts_named(names))] if names else []
        found = definitions(parts.now(), Context.enabled == True, *chosen)  # noqa: E712
        return {"next": _next(found, number_parameter("count", 10, 1, NEXT_LIMIT), parts.now())}

    @app.get("/resolve")
    def named() -> Any:
        caller_of(parts)
        chosen = resolve(parameter("name", str, ""), parameter("env", str, None), parts.now())
        return vars(chosen)


def _add_log(app: Bottle, parts: Parts, logs: LogView) -> None:
    @app.get("/runs/<run:path>/log")
    def log(run: str) -> Any:
        caller = caller_of(parts)
        answer = logs.read(
            run,
            parameter("attempt", int, None),
            number_parameter("after", 0, 0, 2**53),
            number_parameter("wait", 0, 0, WAIT_LIMIT_S),
        )
        return log_page(parts, caller, answer) if wants_page() else answer.shape()


def _add_stop(app: Bottle, parts: Parts) -> None:
    @app.post("/runs/<run:path>/stop")
    def stop(run: str) -> Any:
        caller = caller_of(parts)
        if is_instance(run):
            raise Conflict(f"{run} is a daemon: stop it with 'kirby disable {context_of(run)}'")
        view = run_view(run)
        if view.end is not None:
            raise Conflict(f"{run} has ended already: {view.end.value}")
        parts.requests.post(
            StopRequest(
                context=context_of(run), run=RunId(run), asked_by=caller.name, at=parts.now()
            )
        )
        return redirect(f"{run_path(run)}?asked=stop", 303) if wants_page() else {"asked": True}


def _add_run(app: Bottle, parts: Parts, logs: LogView) -> None:
    @app.get("/runs/<run:path>")
    def look(run: str) -> Any:
        caller = caller_of(parts)
        if is_instance(run):
            return _instance(run)
        if not wants_page():
            return shapes.run(run_view(run))
        asked = parameter("asked", str, "")
        try:
            view = run_view(run)
        except NotFound:
            if asked != ASKED_NOW:
                raise
            return asked_page(parts, caller, run)  # it takes a moment until it is offered
        return run_page(parts, caller, view, logs, asked)


def _instance(run: str) -> Any:
    """Tell of a daemon's instance: its lives."""
    context = context_of(run)
    if wants_page():
        return redirect(f"/contexts/{context}", 303)
    lives = [shapes.attempt(each) for each in attempts_of(run)]
    return {"instance": run, "context": context, "tries": lives}


def _names() -> list[str]:
    given = parameter("context", str, "") or parameter("job", str, "")
    return [name for name in given.split(",") if name]


def _filter() -> RunFilter:
    names = _names()
    return RunFilter(
        contexts=contexts_named(names) if names else None,
        since=instant_parameter("since"),
        until=instant_parameter("until"),
        end=parameter("end", one_of(RunEnd), None),
        limit=number_parameter("limit", 50, 1, LIMIT),
        before=parameter("before", _before, None),
    )


def _cursor(last: Fire) -> str:
    due, name = place(last)
    return f"{due.isoformat()}{SEPARATOR}{name}"


def _before(text: str) -> tuple[datetime, str]:
    # a plus sign that was not escaped arrives as a space
    due, _, name = text.rpartition(SEPARATOR)
    return datetime.fromisoformat(due.replace(" ", "+")), name


def _next(found: tuple[Definition, ...], count: int, now: datetime) -> list[dict[str, Any]]:
    coming = [
        (due, each)
        for each in found
        if each.schedules
        for due in islice(fires_of(each.schedules).after(now), count)
    ]
    coming.sort(key=lambda pair: (pair[0], pair[1].context))
    return [_coming(each, due) for due, each in coming[:count]]


def _coming(definition: Definition, due: datetime) -> dict[str, Any]:
    window = suspended(definition, due)
    return {
        "context": definition.context,
        "due": due,
        "zone": definition.schedules[0].zone,
        "suspended": window is not None,
        "reason": window.reason if window is not None else "",
    }

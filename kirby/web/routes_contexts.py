"""Contexts: looked at, enabled, held, suspended, run by hand, restarted."""

from datetime import datetime
from typing import Any

from bottle import Bottle, redirect

from kirby.core.document.table import Unfit
from kirby.core.document.values import instant
from kirby.core.durations import parse_duration
from kirby.core.errors import Conflict, InvalidInput
from kirby.core.names import ContextKey, check_name, context_key, manual_run_id
from kirby.core.nouns import Definition, JobKind, Suspension
from kirby.core.records import RestartRequest, RunRequest
from kirby.model.contexts import (
    find_context,
    set_enabled,
    set_held,
    suspend,
    suspensions_of,
    unsuspend,
)
from kirby.model.definitions import Context, SuspensionRow
from kirby.model.schedule import definition_of, definitions
from kirby.web import shapes
from kirby.web.asking import body, parameter, text_of, truth_of, wants_page
from kirby.web.caller import Caller, caller_of
from kirby.web.contexts_view import context_views, shape
from kirby.web.page_contexts import context_page, jobs_page
from kirby.web.parts import Parts
from kirby.web.telling import run_path

CONTEXT = "/contexts/<job>/<environment>"


def add(app: Bottle, parts: Parts) -> None:
    """Add the routes."""
    _add_looking(app, parts)
    _add_change(app, parts)
    _add_asking(app, parts)
    _add_suspensions(app, parts)


def _add_looking(app: Bottle, parts: Parts) -> None:
    @app.get("/jobs")
    def jobs() -> Any:
        caller = caller_of(parts)
        job = parameter("job", str, None)
        chosen = [Context.job == job] if job else []
        views = context_views(definitions(parts.now(), *chosen), parts.now())
        if wants_page():
            return jobs_page(parts, caller, views)
        return {"contexts": [shape(each) for each in views]}

    @app.get(CONTEXT)
    def look(job: str, environment: str) -> Any:
        caller = caller_of(parts)
        key = _key(job, environment)
        if wants_page():
            return context_page(parts, caller, definition_of(key, parts.now()))
        return _full(parts, key)

    @app.get(f"{CONTEXT}/variables")
    def variables(job: str, environment: str) -> Any:
        caller_of(parts)
        definition = definition_of(_key(job, environment), parts.now())
        return {
            "variables": {each.name: parts.key.value_of(each) for each in definition.variables},
            "topic_prefix": definition.topic_prefix,
            "group": definition.group,
        }


def _add_change(app: Bottle, parts: Parts) -> None:
    @app.route(CONTEXT, method="PATCH")
    def change(job: str, environment: str) -> Any:
        caller_of(parts)
        return _changed(parts, _key(job, environment), body())


def _add_asking(app: Bottle, parts: Parts) -> None:
    @app.post(f"{CONTEXT}/run")
    def run(job: str, environment: str) -> Any:
        caller = caller_of(parts)
        asked = _ask_run(parts, caller, _key(job, environment))
        return redirect(f"{run_path(asked)}?asked=now", 303) if wants_page() else {"run": asked}

    @app.post(f"{CONTEXT}/restart")
    def restart(job: str, environment: str) -> Any:
        caller = caller_of(parts)
        key = _key(job, environment)
        _ask_restart(parts, caller, definition_of(key, parts.now()))
        return redirect(f"/contexts/{key}", 303) if wants_page() else {"asked": True}


def _add_suspensions(app: Bottle, parts: Parts) -> None:
    @app.get(f"{CONTEXT}/suspensions")
    def listed(job: str, environment: str) -> Any:
        caller_of(parts)
        key = _key(job, environment)
        find_context(key)
        return {"suspensions": [shapes.suspension(each) for each in suspensions_of(key)]}

    @app.post(f"{CONTEXT}/suspensions")
    def begin(job: str, environment: str) -> Any:
        caller = caller_of(parts)
        key, now = _key(job, environment), parts.now()
        number = suspend(key, _window(body(), now), caller.name, now)
        if wants_page():
            return redirect(f"/contexts/{key}", 303)
        return shapes.suspension(SuspensionRow.get_by_id(number))

    @app.delete(f"{CONTEXT}/suspensions/<number:int>")
    def end(job: str, environment: str, number: int) -> Any:
        caller_of(parts)
        key = _key(job, environment)
        unsuspend(key, number)
        return redirect(f"/contexts/{key}", 303) if wants_page() else {"deleted": True}


def _key(job: str, environment: str) -> ContextKey:
    return context_key(check_name("job", job), check_name("environment", environment))


def _full(parts: Parts, key: ContextKey) -> dict[str, Any]:
    definition = definition_of(key, parts.now())
    (view,) = context_views([definition], parts.now())
    return {
        **shape(view),
        "policies": shapes.policies(definition.policies),
        "variables": [
            {"name": each.name, "sealed": each.sealed, "value": None if each.sealed else each.value}
            for each in definition.variables
        ],
        "suspensions": [shapes.suspension(each) for each in suspensions_of(key)],
    }


def _changed(parts: Parts, key: ContextKey, data: dict[str, Any]) -> Any:
    unknown = data.keys() - {"enabled", "held", "csrf", "_method"}
    if unknown:
        raise InvalidInput(f'"{sorted(unknown)[0]}" cannot be changed here: use a document')
    if "enabled" in data:
        set_enabled(key, truth_of(data, "enabled", True), parts.now())
    if "held" in data:
        set_held(key, truth_of(data, "held", False))
    return redirect(f"/contexts/{key}", 303) if wants_page() else _full(parts, key)


def _ask_run(parts: Parts, caller: Caller, key: ContextKey) -> str:
    definition = definition_of(key, parts.now())
    if definition.kind is JobKind.DAEMON:
        raise Conflict(f"{key} is a daemon, it runs all the time: restart it instead")
    _refuse_disabled(definition)
    now = parts.now()
    run = manual_run_id(key, now, parts.draw())
    parts.requests.post(
        RunRequest(context=key, run=run, asked_by=caller.name, at=now, revision=definition.revision)
    )
    return run


def _ask_restart(parts: Parts, caller: Caller, definition: Definition) -> None:
    key = definition.context
    if definition.kind is not JobKind.DAEMON:
        raise Conflict(f"{key} is no daemon: ask for a run instead")
    _refuse_disabled(definition)
    if definition.held:
        raise Conflict(f"{key} is stopped by hand: start it with 'kirby enable {key}'")
    parts.requests.post(RestartRequest(context=key, asked_by=caller.name, at=parts.now()))


def _refuse_disabled(definition: Definition) -> None:
    if not definition.enabled:
        context = definition.context
        raise Conflict(f"{context} is disabled: enable it first ('kirby enable {context}')")


def _window(data: dict[str, Any], now: datetime) -> Suspension:
    start = _instant(data, "start") or now
    if data.get("duration"):
        end = start + parse_duration(text_of(data, "duration"))
    else:
        given = _instant(data, "end")
        if given is None:
            raise InvalidInput('say until when: send "end" or "duration"', field="end")
        end = given
    return Suspension(start=start, end=end, reason=text_of(data, "reason", ""))


def _instant(data: dict[str, Any], name: str) -> datetime | None:
    value = data.get(name)
    if value is None or value == "":
        return None
    try:
        return instant(value)
    except Unfit as unfit:
        raise InvalidInput(f'{name} "{value}"{unfit}', field=name) from None

"""The schedule that leaders ask for, and the registration that running scripts send."""

from typing import Any

import msgspec
from bottle import Bottle, HTTPResponse

from kirby.core.errors import InvalidInput, NotPermitted
from kirby.core.names import context_of
from kirby.model.definitions import Direction, ExternalKind
from kirby.model.registration import Reported, register, usages
from kirby.model.runs import attempts_of
from kirby.model.schedule import definition_of, schedule_since
from kirby.web import shapes
from kirby.web.asking import body, parameter, text_of
from kirby.web.caller import bearer, caller_of
from kirby.web.parts import Parts

SIDES = {"sources": Direction.READS, "destinations": Direction.WRITES}


def add(app: Bottle, parts: Parts) -> None:
    """Add the routes."""

    @app.get("/schedule")
    def schedule() -> Any:
        caller_of(parts)
        found = schedule_since(parameter("since", int, None), parts.now())
        if found is None:
            return HTTPResponse(status=304)
        headers = {"Content-Type": "application/json"}
        return HTTPResponse(msgspec.json.encode(found), 200, headers)

    @app.get("/registration")
    def registered() -> Any:
        caller_of(parts)
        context = parameter("context", str, None)
        notes = usages(context_of(context) if context else None)
        return {"usages": [shapes.usage(each) for each in notes]}

    @app.route("/registration", method="PATCH")
    def report() -> Any:
        data = body()
        run = text_of(data, "run")
        if not parts.key.is_run_token(run, bearer()):
            raise NotPermitted("a script reports with the token of its own run")
        context = context_of(run)
        found = [each for side in SIDES for each in _reported(data, side)]
        register(context, _package(run, parts), found, parts.now())
        return {"usages": [shapes.usage(each) for each in usages(context)]}


def _package(run: str, parts: Parts) -> str:
    """Return what the run's attempt runs; a context may have gone on to another version."""
    attempts = attempts_of(run)
    if attempts and attempts[-1].package:
        return attempts[-1].package
    return definition_of(context_of(run), parts.now()).package


def _reported(data: dict[str, Any], side: str) -> list[Reported]:
    entries = data.get(side, [])
    if not isinstance(entries, list):
        raise InvalidInput(f'send "{side}" as a list', field=side)
    return [_external(each, side) for each in entries]


def _external(entry: Any, side: str) -> Reported:
    try:
        kind, name = ExternalKind(entry["kind"]), entry["name"]
    except (KeyError, TypeError, ValueError):
        kind, name = ExternalKind.OTHER, None
    if not isinstance(name, str):
        kinds = ", ".join(each.value for each in ExternalKind)
        raise InvalidInput(
            f'"{side}" has entries like {{"kind": "topic", "name": "sales"}}, of kinds {kinds}',
            field=side,
        )
    return Reported(kind=kind, name=name.replace("\x00", ""), direction=SIDES[side])

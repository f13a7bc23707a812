"""The cluster's key: announced here, learnt here by hosts. No key itself is ever in an answer."""

from datetime import timedelta
from typing import Any

from bottle import Bottle

from kirby.core.durations import parse_duration, write_duration
from kirby.core.errors import InvalidInput, NotPermitted
from kirby.web.asking import body, text_of
from kirby.web.caller import HOST_CALLER, caller_of
from kirby.web.key_changing import AHEAD, AHEAD_LEAST, GRACE
from kirby.web.parts import Parts

GRACE_MOST = timedelta(days=90)


def add(app: Bottle, parts: Parts) -> None:
    """Add the routes."""

    @app.get("/keys/changes")
    def announced() -> Any:
        if caller_of(parts).name != HOST_CALLER:
            raise NotPermitted("changes of the key are for hosts, which hold the key before")
        return {"changes": parts.key_changing.announced()}

    @app.post("/keys/rotation")
    def rotate() -> Any:
        caller, data = caller_of(parts), body()
        grace = _duration(data, "grace", GRACE, timedelta(0), GRACE_MOST)
        after = _duration(data, "after", AHEAD, AHEAD_LEAST, timedelta(days=7))
        told = parts.key_changing.rotate(caller.name, after=after, grace=grace)
        return {"since": told.since, "until": told.until}


def _duration(
    data: dict[str, Any], name: str, usual: timedelta, least: timedelta, most: timedelta
) -> timedelta:
    given = parse_duration(text_of(data, name, write_duration(usual)))
    if not least <= given <= most:
        bounds = f"use {write_duration(least)} to {write_duration(most)}"
        raise InvalidInput(f'{name} "{write_duration(given)}": {bounds}', field=name)
    return given

"""Tokens, and the way in and out for browsers."""

from dataclasses import asdict
from typing import Any

from bottle import Bottle, HTTPResponse, redirect, request

from kirby.core.errors import InvalidInput
from kirby.model.tokens import (
    SESSION_LIFE,
    create_link,
    create_token,
    delete_token,
    end_session,
    replace_token,
    tokens,
    use_link,
)
from kirby.web.asking import body, parameter, text_of, truth_of, wants_page
from kirby.web.caller import COOKIE, caller_of
from kirby.web.page_cluster import entrance_page, tokens_page
from kirby.web.parts import Parts


def add(app: Bottle, parts: Parts) -> None:
    """Add the routes."""
    _add_tokens(app, parts)
    _add_links(app, parts)
    _add_sign_out(app, parts)


def _add_tokens(app: Bottle, parts: Parts) -> None:
    @app.get("/tokens")
    def listed() -> Any:
        caller = caller_of(parts)
        found = tokens()
        if wants_page():
            return tokens_page(parts, caller, found)
        return {"tokens": [_note(asdict(each)) for each in found]}

    @app.post("/tokens")
    def make() -> Any:
        caller, data = caller_of(parts), body()
        name = text_of(data, "name")
        make_one = replace_token if truth_of(data, "replace", False) else create_token
        token = make_one(name, caller.name, parts.now())
        if wants_page():
            return tokens_page(parts, caller, tokens(), made=(name, token))
        return {"name": name, "token": token}

    @app.delete("/tokens/<name:path>")
    def delete(name: str) -> Any:
        caller_of(parts)
        delete_token(name)
        return redirect("/tokens", 303) if wants_page() else {"deleted": True}


def _add_links(app: Bottle, parts: Parts) -> None:
    @app.post("/sign-in")
    def link() -> Any:
        caller, data = caller_of(parts), body()
        name = data.get("name") or caller.name
        if not isinstance(name, str):
            raise InvalidInput('send "name" as a text', field="name")
        return {"path": f"/sign-in?once={create_link(name, parts.now())}"}

    @app.get("/sign-in")
    def sign_in() -> Any:
        secret = parameter("once", str, "")
        if not secret:
            return entrance_page(parts)
        return _signed_in(use_link(secret, parts.now()))


def _signed_in(cookie: str) -> HTTPResponse:
    answer = HTTPResponse(status=303, headers={"Location": "/jobs"})
    answer.set_cookie(
        COOKIE,
        cookie,
        httponly=True,
        samesite="lax",  # strict would lose it on the very redirect from the link
        secure=request.urlparts.scheme == "https",
        path="/",
        max_age=int(SESSION_LIFE.total_seconds()),
    )
    return answer


def _add_sign_out(app: Bottle, parts: Parts) -> None:
    @app.post("/sign-out")
    def sign_out() -> Any:
        caller = caller_of(parts)
        if caller.cookie:
            end_session(caller.cookie)
        answer = HTTPResponse(status=303, headers={"Location": "/sign-in"})
        answer.delete_cookie(COOKIE, path="/")
        return answer


def _note(note: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in note.items() if name != "id"}

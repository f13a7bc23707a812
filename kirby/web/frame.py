"""What all pages share: head, navigation, the line that says whether all is well, the style."""

from collections.abc import Iterable, Sequence
from http import HTTPStatus

from bottle import request

from kirby.core.errors import Fault
from kirby.web.caller import CSRF_FIELD, CSRF_PLACE, Caller
from kirby.web.html import Child, Html, e, join
from kirby.web.parts import Parts
from kirby.web.standing import Standing, standing

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
EVERY_S = 3.0
PLACES = (
    ("/jobs", "Jobs"),
    ("/runs", "Runs"),
    ("/daemons", "Daemons"),
    ("/hosts", "Hosts"),
    ("/tokens", "Tokens"),
)


def page(
    parts: Parts, caller: Caller, title: str, *content: Child, every_s: float | None = EVERY_S
) -> str:
    """Write a whole page.

    Args:
        parts: for the line on top.
        caller: whoever looks.
        title: of the page.
        content: what it shows.
        every_s: how often it is fetched anew while it is looked at; None: never.
    """
    return _document(
        title,
        e("header", _navigation(caller), _line(standing(parts))),
        e("main", *content, data_every_ms=round(every_s * 1000) if every_s else None),
        e("script", src="/static/kirby.js", defer=True),
    )


def fault_page(status: HTTPStatus, faults: Iterable[Fault]) -> str:
    """Write what was wrong."""
    return _document(
        status.phrase,
        e("header", e("nav", [e("a", name, href=path) for path, name in PLACES])),
        e("main", e("h1", status.phrase), [e("p", str(fault)) for fault in faults]),
    )


def bare_page(title: str, *content: Child) -> str:
    """Write a page for somebody who is not known."""
    return _document(title, e("main", e("h1", title), *content))


def command(text: str) -> Html:
    """Show the command that does the same."""
    return e("code", text, class_="command", title="does the same on the command line")


def button(
    caller: Caller,
    path: str,
    label: str,
    does: str,
    fields: Sequence[tuple[str, str]] = (),
) -> Html:
    """Write a button that posts a form, with the command line that does the same.

    Args:
        caller: whose session it is.
        path: where it goes.
        label: on the button.
        does: the command.
        fields: hidden ones; `_method` makes it a PATCH or DELETE.
    """
    hidden = [e("input", type="hidden", name=name, value=value) for name, value in fields]
    return e(
        "form",
        csrf(caller),
        hidden,
        e("button", label, type="submit"),
        command(does),
        method="post",
        action=path,
        class_="action",
    )


def csrf(caller: Caller) -> Html:
    """Write the hidden field that says that one of our pages asks."""
    token = request.environ.get(CSRF_PLACE, "")
    return e("input", type="hidden", name=CSRF_FIELD, value=token) if caller.cookie else Html("")


def table(head: Sequence[Child], rows: Iterable[Sequence[Child]], empty: str) -> Html:
    """Write a table; without rows, a sentence."""
    written = [e("tr", [cell(each) for each in row]) for row in rows]
    if not written:
        return e("p", empty, class_="quiet")
    heads = e("thead", e("tr", [e("th", each, scope="col") for each in head]))
    return e("div", e("table", heads, e("tbody", written)), class_="scroll")


def cell(content: Child) -> Html:
    """Write a cell, unless it is one already."""
    if isinstance(content, Html) and content.startswith("<td"):
        return content
    return e("td", content)


def _document(title: str, *body: Child) -> str:
    head = e(
        "head",
        e("meta", charset="utf-8"),
        e("meta", name="viewport", content="width=device-width, initial-scale=1"),
        e("meta", name="color-scheme", content="light dark"),
        e("title", f"{title} · Kirby"),
        e("link", rel="stylesheet", href="/static/kirby.css"),
        e("link", rel="icon", href="/static/kirby.svg", type="image/svg+xml"),
    )
    return Html("<!doctype html>") + e("html", head, e("body", join(body)), lang="en")


def _navigation(caller: Caller) -> Html:
    here = request.path
    links = [
        e("a", name, href=path, aria_current="page" if here.startswith(path) else None)
        for path, name in PLACES
    ]
    out = e(
        "form",
        csrf(caller),
        e("button", f"{caller.name}: sign out", type="submit", class_="link"),
        method="post",
        action="/sign-out",
    )
    return e("nav", e("a", "Kirby", href="/jobs", class_="mark"), links, out)


def _line(stands: Standing) -> Html:
    state = "well" if stands.firing and not stands.missed_24h else "uneasy"
    return e(
        "p",
        e("span", class_="light", aria_hidden="true"),
        stands.sentence,
        class_=f"standing {state if stands.firing else 'ill'}",
        role="status",
    )

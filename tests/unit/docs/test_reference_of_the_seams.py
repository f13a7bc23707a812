"""The tables of the seams: the web service's routes, and what is asked of the shim."""

import re
from types import SimpleNamespace

from bottle import Bottle

from kirby.shim import requests, steps
from kirby.shim.events import REQUESTS
from kirby.shim.phases import Phase
from kirby.web import app as web
from tests.builders.pages import code, page, rows, section

WATCH = "watch"  # of the connection itself, not of the book
PLACES = {"job": "JOB", "environment": "ENV", "run": "RUN", "number": "ID", "name": "NAME"}
ARCHITECTURE = page("ARCHITECTURE.md")


def routes() -> set[str]:
    app, parts = Bottle(), SimpleNamespace(logs=None)
    for each in web.ROUTES:
        each.add(app, parts)
    return {f"{each.method} {told_as(each.rule)}" for each in app.routes}


def told_as(rule: str) -> str:
    """Write a rule as the page does: `/runs/<run:path>` is `/runs/RUN`."""
    return re.sub(r"<(\w+)(:[^>]+)?>", lambda match: PLACES.get(match[1], match[1].upper()), rule)


def test_every_route_of_the_web_service_has_its_line():
    told = {
        piece
        for row in rows(page("docs/reference/web-api.md"))
        for piece in code(row[0])
        if re.match(r"[A-Z]+ /", piece)
    }

    assert told == {each for each in routes() if "/static/" not in each}


def test_every_request_to_the_shim_has_its_line():
    told = [code(row[0])[0] for row in rows(section(ARCHITECTURE, "## The seam of the shim"))]

    assert sorted(told) == sorted([*REQUESTS, WATCH])


def test_the_fields_of_an_arm_are_those_that_an_order_has():
    line = next(
        row for row in rows(section(ARCHITECTURE, "## The seam of the shim")) if row[0] == "`arm`"
    )

    read = set(re.findall(r'request, "(\w+)"', source_of_order())) | {"run", "attempt"}

    assert read <= set(code(line[1]))


def source_of_order() -> str:
    text = page(f"{requests.__name__.replace('.', '/')}.py")
    return text[text.index("class Order") : text.index("def kept_order")]


def test_phases_and_journal_steps_are_those_that_exist():
    seam = section(ARCHITECTURE, "## The seam of the shim")
    folder = section(ARCHITECTURE, "## The run folder")
    journal = set(re.findall(r'"step": "(\w+)"', page(f"{steps.__name__.replace('.', '/')}.py")))

    phases = re.search(r"^Phases: (.*?)\.", seam, re.M | re.S)
    assert phases is not None
    assert code(phases[1]) == [phase.value for phase in Phase]
    assert journal <= set(code(folder[folder.index("Journal steps") :]))
    assert set(steps.FINAL) <= journal

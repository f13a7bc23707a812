"""Style, script and mark of the pages, from the installation itself; no token is asked."""

from importlib.resources import files
from typing import Any

from bottle import Bottle, HTTPError, HTTPResponse

from kirby.web.parts import Parts

KINDS = {
    "kirby.css": "text/css; charset=utf-8",
    "kirby.js": "text/javascript; charset=utf-8",
    "kirby.svg": "image/svg+xml",
}
KEPT_S = 300  # by browsers; an update of Kirby shows within minutes


def add(app: Bottle, _parts: Parts) -> None:
    """Add the routes."""
    folder = files("kirby.web") / "static"
    contents = {name: folder.joinpath(name).read_bytes() for name in KINDS}

    @app.get("/static/<name>")
    def static(name: str) -> Any:
        if name not in contents:
            raise HTTPError(404)
        headers = {"Content-Type": KINDS[name], "Cache-Control": f"max-age={KEPT_S}"}
        return HTTPResponse(contents[name], 200, headers)

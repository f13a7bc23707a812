"""The application: made anew from its parts for each process or test, nothing at module level."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from bottle import Bottle, redirect, request, response

from kirby.core.errors import KirbyError
from kirby.model.database import connection
from kirby.packages.index import create_index
from kirby.web import (
    routes_access,
    routes_cluster,
    routes_contexts,
    routes_document,
    routes_health,
    routes_keys,
    routes_runs,
    routes_schedule,
    routes_static,
)
from kirby.web.answering import Answering, plain_error, refusal
from kirby.web.asking import FORM
from kirby.web.frame import POLICY
from kirby.web.packages import Packages
from kirby.web.parts import Parts

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ROUTES = (
    routes_access,
    routes_cluster,
    routes_contexts,
    routes_document,
    routes_health,
    routes_keys,
    routes_runs,
    routes_schedule,
    routes_static,
)
FORM_METHODS = ("PATCH", "DELETE")  # forms can only GET and POST


def create_app(parts: Parts) -> "WSGIApplication":
    """Make the application; the database is bound and upgraded already."""
    app = Bottle()
    app.default_error_handler = plain_error
    app.install(Answering())
    app.add_hook("before_request", _take_method_of_form)
    app.add_hook("after_request", _guard)
    for each in ROUTES:
        each.add(app, parts)

    @app.get("/")
    def begin() -> Any:
        return redirect("/jobs", 303)

    _mount_packages(app, parts)
    return _connected(app)


def _mount_packages(app: Bottle, parts: Parts) -> None:
    packages = Packages(parts=parts)
    index = create_index(
        parts.packages_folder,
        may_upload=packages.may_use,
        may_read=packages.may_use,
        on_upload=packages.keep,
        lacking=packages.lacking,
    )
    app.mount("/packages/", index)


def _take_method_of_form() -> None:
    if request.method == "POST" and request.content_type.startswith(FORM):
        method = (request.forms.get("_method") or "").upper()
        if method in FORM_METHODS:
            request.environ["REQUEST_METHOD"] = method


def _guard() -> None:
    """Tell browsers to take nothing from elsewhere, and to guess nothing."""
    response.set_header("Content-Security-Policy", POLICY)
    response.set_header("X-Content-Type-Options", "nosniff")
    response.set_header("X-Frame-Options", "DENY")
    response.set_header("Referrer-Policy", "same-origin")
    if "Cache-Control" not in response.headers:
        response.set_header("Cache-Control", "no-store")


def _connected(app: Callable[..., Iterable[bytes]]) -> "WSGIApplication":
    """Hold one connection to the database for each request."""

    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if environ.get("PATH_INFO") in routes_health.PATHS:
            return app(environ, start_response)
        try:
            with connection():
                return app(environ, start_response)
        except KirbyError as fault:
            refused = refusal(fault)
            start_response(refused.status_line, list(refused.headerlist))
            return [refused.body if isinstance(refused.body, bytes) else refused.body.encode()]

    return answer

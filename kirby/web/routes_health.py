"""Whether the service lives, whether it can work, and which version it is. No token is asked."""

import os
from typing import Any

from bottle import Bottle, HTTPResponse

from kirby.core.errors import DatabaseError
from kirby.model.database import connection, database
from kirby.web.answering import encode
from kirby.web.parts import Parts

PATHS = ("/health", "/ready", "/version")  # answered also while the database is gone


def add(app: Bottle, parts: Parts) -> None:
    """Add the routes."""

    @app.get("/health")
    def health() -> Any:
        return {"ok": True, "pid": os.getpid()}

    @app.get("/version")
    def version() -> Any:
        return {"version": parts.version}

    @app.get("/ready")
    def ready() -> Any:
        states = {"database": _database(), "kafka": parts.readiness.kafka() or True}
        ok = all(state is True for state in states.values())
        headers = {"Content-Type": "application/json"}
        return HTTPResponse(encode({"ok": ok, **states}), 200 if ok else 503, headers)


def _database() -> bool | str:
    try:
        with connection():
            database.execute_sql("SELECT 1").fetchone()
    except DatabaseError as fault:
        return str(fault)
    except Exception as fault:
        return f"the database does not answer: {fault}"
    return True

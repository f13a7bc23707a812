"""How a handler's outcome becomes an answer: nouns as JSON, errors as sentences, no traceback."""

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import msgspec
import peewee
from bottle import HTTPError, HTTPResponse, request, response

from kirby.core.errors import (
    Conflict,
    DatabaseError,
    Fault,
    InvalidInput,
    KafkaError,
    KeyOutdated,
    KirbyError,
    NotFound,
    NotPermitted,
    TooLong,
    UserError,
)
from kirby.web.asking import wants_page
from kirby.web.caller import READING, Unknown
from kirby.web.frame import fault_page

_log = logging.getLogger(__name__)

STATUSES: tuple[tuple[type[KirbyError], HTTPStatus], ...] = (
    (KeyOutdated, HTTPStatus.GONE),
    (Unknown, HTTPStatus.UNAUTHORIZED),
    (NotPermitted, HTTPStatus.FORBIDDEN),
    (NotFound, HTTPStatus.NOT_FOUND),
    (Conflict, HTTPStatus.CONFLICT),
    (TooLong, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (UserError, HTTPStatus.BAD_REQUEST),
    (KafkaError, HTTPStatus.SERVICE_UNAVAILABLE),
    (DatabaseError, HTTPStatus.SERVICE_UNAVAILABLE),
)
SIGN_IN = "/sign-in"
OWN_FAULT = "the web service failed at this; its log says more"


def encode(value: Any) -> bytes:
    """Write an answer as JSON."""
    return msgspec.json.encode(value)


class Answering:
    """A plugin of Bottle: wraps every handler."""

    name = "answering"
    api = 2

    def apply(self, callback: Callable[..., Any], _route: Any) -> Callable[..., Any]:
        """Wrap one handler."""

        def answer(*args: Any, **kwargs: Any) -> Any:
            try:
                return _successful(callback(*args, **kwargs))
            except HTTPResponse:
                raise
            except KirbyError as fault:
                return refusal(fault)
            except Exception as fault:
                return _unexpected(fault)

        return answer


def _successful(outcome: Any) -> Any:
    if isinstance(outcome, str | bytes | HTTPResponse):
        return outcome
    response.content_type = "application/json"
    return encode(outcome)


def _unexpected(fault: Exception) -> HTTPResponse:
    if isinstance(fault, peewee.OperationalError | peewee.InterfaceError):
        _log.warning("the database does not answer: %s", fault)
        return refusal(DatabaseError(f"the database does not answer: {fault}"))
    _log.error("%s %s failed", request.method, request.path, exc_info=fault)
    return _refuse(HTTPStatus.INTERNAL_SERVER_ERROR, [Fault(field="", sentence=OWN_FAULT)])


def refusal(fault: KirbyError) -> HTTPResponse:
    """Turn an error into an answer: a page for a browser, else JSON; strangers go to the door."""
    if isinstance(fault, Unknown) and wants_page() and request.method in READING:
        return HTTPResponse(status=HTTPStatus.SEE_OTHER.value, headers={"Location": SIGN_IN})
    kinds = (status for kind, status in STATUSES if isinstance(fault, kind))
    status = next(kinds, HTTPStatus.INTERNAL_SERVER_ERROR)
    faults = fault.faults if isinstance(fault, InvalidInput) else None
    candidates = getattr(fault, "candidates", None)
    return _refuse(status, faults or [Fault(field="", sentence=str(fault))], candidates)


def _refuse(status: HTTPStatus, faults: Any, candidates: Any = None) -> HTTPResponse:
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else {}
    if wants_page():
        headers["Content-Type"] = "text/html; charset=utf-8"
        return HTTPResponse(fault_page(status, faults), status.value, headers)
    answer: dict[str, Any] = {
        "faults": [{"field": each.field, "sentence": each.sentence} for each in faults]
    }
    if candidates is not None:
        answer["candidates"] = candidates
    headers["Content-Type"] = "application/json"
    return HTTPResponse(encode(answer), status.value, headers)


def plain_error(error: HTTPError) -> str | bytes:
    """Answer what Bottle itself refuses: no such address, no such method."""
    status = HTTPStatus(error.status_code)
    sentence = {
        HTTPStatus.NOT_FOUND: f"there is nothing at {request.path[:200]}",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.method} is not done at {request.path[:200]}",
    }.get(status, OWN_FAULT if status >= HTTPStatus.INTERNAL_SERVER_ERROR else status.phrase)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("%s %s failed", request.method, request.path, exc_info=error.exception)
    answer = _refuse(status, [Fault(field="", sentence=sentence)])
    response.content_type = answer.headers["Content-Type"]
    body: str | bytes = answer.body
    return body

"""The web service, as the command line asks it: JSON in, JSON out, errors as Kirby's own."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import httpx
import msgspec

from kirby.core.errors import (
    Conflict,
    Fault,
    InvalidInput,
    KirbyError,
    NotFound,
    NotPermitted,
    ServiceFailed,
    ServiceUnreachable,
    UserError,
)

TIME_LIMIT_SECONDS = 30.0  # of an answer that somebody waits for

_CLASSES: Mapping[int, type[UserError]] = {
    HTTPStatus.UNAUTHORIZED: NotPermitted,
    HTTPStatus.FORBIDDEN: NotPermitted,
    HTTPStatus.NOT_FOUND: NotFound,
    HTTPStatus.CONFLICT: Conflict,
}


@dataclass(kw_only=True)
class Service:
    """The web service, with the token of whoever asks.

    Where several addresses are named, with commas between, the first that answers is used from
    then on.
    """

    url: str
    token: str = field(repr=False)

    def settle(self) -> str:
        """Return the address of one that answers, where several are named."""
        if "," in self.url:
            self.get("/health")
        return self.url.rstrip("/")

    def get(self, path: str, time_limit_seconds: float = TIME_LIMIT_SECONDS, **query: Any) -> Any:
        """Ask; parameters that are None are left out.

        Raises:
            UserError: of the class that the status stands for, with the service's sentences.
            ServiceUnreachable: nobody answers there.
        """
        asked = {name: value for name, value in query.items() if value is not None}
        return self._ask("GET", path, params=asked, timeout=time_limit_seconds)

    def post(self, path: str, body: Any = None) -> Any:
        """Have something done; raises as `get` does."""
        return self._ask("POST", path, json=msgspec.to_builtins(body if body is not None else {}))

    def patch(self, path: str, body: Any) -> Any:
        """Change something; raises as `get` does."""
        return self._ask("PATCH", path, json=msgspec.to_builtins(body))

    def delete(self, path: str) -> Any:
        """Remove something; raises as `get` does."""
        return self._ask("DELETE", path)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        options.setdefault("timeout", TIME_LIMIT_SECONDS)
        response = self._first_answer(method, path, options)
        if response.is_error:
            raise _error_of(response)
        return response.json() if response.content else None

    def _first_answer(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Accept": "application/json"}
        faults = []
        for url in self.url.split(","):
            try:
                response = httpx.request(
                    method, f"{url.rstrip('/')}{path}", headers=headers, trust_env=False, **options
                )
            except (httpx.HTTPError, httpx.InvalidURL) as fault:
                faults.append(fault)
                if _may_be_done(method, fault):
                    break
            else:
                self.url = url
                return response
        raise ServiceUnreachable(
            f"the web service at {self.url.replace(',', ', ')} does not answer ({faults[-1]}): "
            "start Kirby with 'kirby start', or set KIRBY_URL"
        ) from faults[-1]


def _may_be_done(method: str, fault: Exception) -> bool:
    """Tell whether a change may have been made without an answer: it is not made twice."""
    return method != "GET" and not isinstance(fault, httpx.ConnectError | httpx.ConnectTimeout)


def _error_of(response: httpx.Response) -> KirbyError:
    """Turn the service's faults into an error of the class that its status stands for."""
    try:
        faults = [
            Fault(field=fault.get("field", ""), sentence=fault["sentence"])
            for fault in response.json()["faults"]
        ]
    except (ValueError, KeyError, TypeError, AttributeError):
        faults = []
    if not faults:
        return ServiceFailed(f"the web service answered {response.status_code} to {response.url}")
    kind = _CLASSES.get(response.status_code)
    if kind is not None:
        return kind("\n".join(fault.sentence for fault in faults))
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ServiceFailed("\n".join(fault.sentence for fault in faults))
    return InvalidInput(faults)

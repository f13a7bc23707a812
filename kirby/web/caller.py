"""Who asks: a person or program with a token, a host, a signed-in browser, or a run itself."""

from dataclasses import dataclass

from bottle import request

from kirby.core.errors import NotPermitted
from kirby.host.keys import ClusterKeys
from kirby.model.tokens import owner_of_session, owner_of_token
from kirby.web.parts import Parts

COOKIE = "kirby_session"
CSRF_HEADER = "X-CSRF-Token"
CSRF_FIELD = "csrf"
CSRF_PLACE = "kirby.csrf"  # in the request's environment, for the forms of the page
HOST_CALLER = "a host"
READING = ("GET", "HEAD", "OPTIONS")


class Unknown(NotPermitted):
    """Nobody that is known asks: no token, or one of nobody."""


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Whoever asks, by name."""

    name: str
    cookie: str = ""  # of a browser

    def csrf(self, key: ClusterKeys) -> str:
        """Return what a page of this session must send with each change."""
        return key.csrf(self.cookie)


def caller_of(parts: Parts) -> Caller:
    """Find out who asks.

    Raises:
        Unknown: no token, or one of nobody.
        NotPermitted: a browser's change without the token of one of our pages.
    """
    token = bearer()
    if token:
        return _with_token(parts, token)
    cookie = request.get_cookie(COOKIE) or ""
    owner = owner_of_session(cookie, parts.now()) if cookie else None
    if owner is None:
        raise Unknown(
            "who asks? Give a token (KIRBY_TOKEN), or open the link of 'kirby sign-in' in a browser"
        )
    caller = Caller(name=owner, cookie=cookie)
    request.environ[CSRF_PLACE] = caller.csrf(parts.key)
    if request.method not in READING:
        _check_csrf(caller, parts.key)
    return caller


def bearer() -> str:
    """Return the token of the request, empty where there is none."""
    scheme, _, token = request.get_header("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _with_token(parts: Parts, token: str) -> Caller:
    if parts.key.is_host_token(token):
        return Caller(name=HOST_CALLER)
    owner = owner_of_token(token, parts.now())
    if owner is None:
        parts.key_changing.refuse_outdated(token)
        raise Unknown("this token is unknown, or was deleted: make one with 'kirby token create'")
    return Caller(name=owner)


def _check_csrf(caller: Caller, key: ClusterKeys) -> None:
    given = request.get_header(CSRF_HEADER) or request.forms.get(CSRF_FIELD) or ""
    if not key.is_csrf(caller.cookie, given):
        raise NotPermitted("this did not come from one of Kirby's pages: reload the page")

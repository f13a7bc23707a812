"""Who may ask: tokens of people and programs, one-time links, sessions of browsers.

Only hashes are kept: whoever reads the database can sign in as nobody.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from kirby.core.errors import Conflict, InvalidInput, NotFound, NotPermitted
from kirby.model.access import ApiToken, Session, SignInLink
from kirby.model.database import writing

PREFIX = "kby_"  # tells a leaked token from other random text
LINK_LIFE = timedelta(hours=1)
SESSION_LIFE = timedelta(days=30)
NAME_LIMIT = 100
USE_NOTED_EVERY = timedelta(minutes=1)  # so that reading does not become writing


@dataclass(frozen=True, kw_only=True)
class TokenNote:
    """What may be told of a token."""

    id: int
    name: str
    made: datetime
    made_by: str
    last_used: datetime | None


def new_token() -> str:
    """Draw a token of 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def token_hash(token: str) -> str:
    """Return what is kept of a token: it is random and long, so one round is enough."""
    return hashlib.sha256(token.encode(errors="surrogatepass")).hexdigest()


def create_token(name: str, by: str, now: datetime) -> str:
    """Make a token for a person or a program; it is shown this once.

    Raises:
        InvalidInput: the name is empty, too long, or has characters that cannot be seen.
        Conflict: the name is taken.
    """
    if not name or len(name) > NAME_LIMIT or not name.isprintable() or name != name.strip():
        raise InvalidInput(
            f"a token needs the name of who uses it: 1 to {NAME_LIMIT} visible characters",
            field="name",
        )
    token = new_token()
    with writing():
        if ApiToken.select().where(ApiToken.name == name).exists():
            raise Conflict(f'there is a token "{name}": delete it first, or choose another name')
        ApiToken.create(name=name, hash=token_hash(token), made=now, made_by=by)
    return token


def replace_token(name: str, by: str, now: datetime) -> str:
    """Make a token in place of the one of this name, if there is one."""
    with writing():
        ApiToken.delete().where(ApiToken.name == name).execute()
        return create_token(name, by, now)


def tokens() -> list[TokenNote]:
    """Return what may be told of all tokens, by name."""
    return [
        TokenNote(
            id=row.id,
            name=row.name,
            made=row.made,
            made_by=row.made_by,
            last_used=row.last_used,
        )
        for row in ApiToken.select().order_by(ApiToken.name)
    ]


def delete_token(name: str) -> None:
    """Take a token away; it is good for nothing from now on.

    Raises:
        NotFound: there is none of this name.
    """
    if not ApiToken.delete().where(ApiToken.name == name).execute():
        raise NotFound(f'there is no token "{name}"')


def owner_of_token(token: str, now: datetime) -> str | None:
    """Return whose token it is; None: nobody's."""
    row = ApiToken.get_or_none(ApiToken.hash == token_hash(token))
    if row is None:
        return None
    if row.last_used is None or now - row.last_used > USE_NOTED_EVERY:
        ApiToken.update(last_used=now).where(ApiToken.id == row.id).execute()
    return str(row.name)


def create_link(name: str, now: datetime) -> str:
    """Make the secret of a link with which `name` signs in once."""
    secret = new_token()
    with writing():
        SignInLink.delete().where(SignInLink.expires < now).execute()
        SignInLink.create(hash=token_hash(secret), name=name, made=now, expires=now + LINK_LIFE)
    return secret


def use_link(secret: str, now: datetime) -> str:
    """Use up a link; return the cookie of the session that begins.

    Raises:
        NotPermitted: there is no such link, it was used, or it is too old.
    """
    chosen = (SignInLink.hash == token_hash(secret)) & (SignInLink.expires >= now)
    with writing():
        row = SignInLink.get_or_none(chosen)
        if row is None or not SignInLink.delete().where(chosen).execute():
            raise NotPermitted(
                "this sign-in link was used or is too old: make a new one with 'kirby sign-in'"
            )
        return _begin_session(row.name, now)


def _begin_session(name: str, now: datetime) -> str:
    cookie = new_token()
    Session.delete().where(Session.expires < now).execute()
    Session.create(hash=token_hash(cookie), name=name, made=now, expires=now + SESSION_LIFE)
    return cookie


def owner_of_session(cookie: str, now: datetime) -> str | None:
    """Return whose session it is; None: nobody's, or over."""
    chosen = (Session.hash == token_hash(cookie)) & (Session.expires >= now)
    row = Session.get_or_none(chosen)
    return None if row is None else str(row.name)


def end_session(cookie: str) -> None:
    """Sign out."""
    Session.delete().where(Session.hash == token_hash(cookie)).execute()

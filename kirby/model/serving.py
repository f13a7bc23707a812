"""The web services that share this database, and the chores of which one of them does each."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from peewee import IntegerField, TextField

from kirby.model.database import writing
from kirby.model.definitions import Table
from kirby.model.fields import EPOCH, InstantField
from kirby.model.upsert import put

SEEN_EVERY = timedelta(seconds=5)  # a web service says so often that it lives
GONE_AFTER = timedelta(seconds=20)
FORGOTTEN_AFTER = timedelta(days=7)


class WebServiceRow(Table):
    """A web service, as it lists itself."""

    url = TextField(primary_key=True)
    host = TextField()
    pid = IntegerField()
    version = TextField()
    since = InstantField()
    seen = InstantField()


class ChoreRow(Table):
    """What one web service does for all, and when that was begun last."""

    name = TextField(primary_key=True)
    done = InstantField()


@dataclass(frozen=True, kw_only=True)
class WebServiceView:
    """A web service and whether it was seen lately."""

    url: str
    host: str
    pid: int
    version: str
    since: datetime
    seen: datetime
    alive: bool


def see_web_service(
    url: str, *, host: str, pid: int, version: str, since: datetime, now: datetime
) -> None:
    """List a web service, or that it still lives."""
    columns = {"url": url, "host": host, "pid": pid, "version": version, "since": since}
    put(WebServiceRow, WebServiceRow.url, {**columns, "seen": now})


def forget_web_service(url: str, pid: int) -> None:
    """Take a web service that ends from the list, unless another took its address."""
    mine = (WebServiceRow.url == url) & (WebServiceRow.pid == pid)
    WebServiceRow.delete().where(mine).execute()


def web_services(now: datetime) -> list[WebServiceView]:
    """Return all that were seen in the last week, by address."""
    rows = WebServiceRow.select().where(WebServiceRow.seen > now - FORGOTTEN_AFTER)
    return [
        WebServiceView(**row, alive=now - row["seen"] < GONE_AFTER)
        for row in rows.order_by(WebServiceRow.url).dicts()
    ]


def take_turn(chore: str, every: timedelta, now: datetime) -> bool:
    """Tell whether it is the caller's turn to do a chore that all share.

    Call it in the transaction in which the chore is done: who comes meanwhile waits and then
    hears no, and where the transaction fails, somebody else's turn comes at once.
    """
    with writing():
        first = ChoreRow.insert(name=chore, done=EPOCH).on_conflict_ignore()
        first.execute()
        mine = (ChoreRow.name == chore) & (ChoreRow.done <= now - every)
        return bool(ChoreRow.update(done=now).where(mine).execute())

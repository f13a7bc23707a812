"""Hosts that are being taken out: no new work goes to them until that is undone.

The leader learns of them with the schedule and keeps them in its mirror, so a host stays drained
when it is stopped and started again, when another leads, and while this database is gone.
"""

from datetime import datetime
from typing import Any

from peewee import TextField

from kirby.core.errors import NotFound
from kirby.core.names import Host
from kirby.model.database import writing
from kirby.model.definitions import Table
from kirby.model.fields import InstantField
from kirby.model.happenings import HostRow
from kirby.model.revisions import next_revision


class Drain(Table):
    """A host that is being taken out."""

    host = TextField(primary_key=True)
    since = InstantField()
    by = TextField(column_name="made_by", default="")


def drain(host: str, by: str, now: datetime) -> bool:
    """Let no new work go to a host; return whether that changed anything.

    Raises:
        NotFound: no host of this name was ever heard.
    """
    with writing():
        if Drain.select().where(Drain.host == host).exists():
            return False
        if not HostRow.select().where(HostRow.name == host).exists():
            raise NotFound(f'there is no host "{host}": see kirby hosts')
        Drain.create(host=host, since=now, by=by)
        next_revision()
    return True


def undo_drain(host: str) -> bool:
    """Let work go to a host again; return whether that changed anything.

    Raises:
        NotFound: no host of this name was ever heard, nor drained.
    """
    with writing():
        if Drain.delete().where(Drain.host == host).execute():
            next_revision()
            return True
        if not HostRow.select().where(HostRow.name == host).exists():
            raise NotFound(f'there is no host "{host}": see kirby hosts')
    return False


def drained_hosts() -> tuple[Host, ...]:
    """Return the hosts that no new work may go to, by name."""
    return tuple(Host(row.host) for row in Drain.select().order_by(Drain.host))


def drains() -> dict[str, Any]:
    """Return the rows, by host."""
    return {row.host: row for row in Drain.select()}

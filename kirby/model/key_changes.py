"""The changes of the cluster's key, as they are handed on, and secrets sealed anew after one."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol

from peewee import AutoField, TextField

from kirby.core.errors import Conflict, Insecure
from kirby.core.key_ring import SKEW, Announced, Succession
from kirby.core.names import ContextKey
from kirby.model.database import writing
from kirby.model.definitions import ConfigKey, Context, Scope, Table
from kirby.model.fields import InstantField
from kirby.model.revisions import next_revision, touch

_log = logging.getLogger(__name__)


class KeyChange(Table):
    """One change: the next key, sealed with the one before, until that is taken no more."""

    id = AutoField()
    of = TextField(column_name="of_key")
    key = TextField()
    sealed = TextField()
    since = InstantField()
    until = InstantField(column_name="until_then")
    made = InstantField()
    made_by = TextField(default="")


class Resealer(Protocol):
    """Seals anew what an earlier key has sealed; the cluster's keys do."""

    def resealed(self, sealed: str) -> str:
        """Return the same secret sealed with the active key; as it is where it is already.

        Raises:
            Insecure: it cannot be opened.
        """


def keep_change(announced: Announced, told: Succession, by: str, now: datetime) -> None:
    """Keep a change, so that every web service and host learns of it.

    Raises:
        Conflict: another web service has changed this very key meanwhile.
    """
    with writing():
        if KeyChange.select().where(KeyChange.of == announced.of).exists():
            raise Conflict("the key was changed by somebody else just now: see 'kirby key list'")
        KeyChange.create(
            of=announced.of,
            key=announced.key,
            sealed=announced.sealed,
            since=told.since,
            until=told.until,
            made=now,
            made_by=by,
        )


def changes(now: datetime) -> list[Announced]:
    """Return the changes, the oldest first; what nobody may learn any more is taken out."""
    old = KeyChange.until < now - SKEW
    if KeyChange.select().where(old & (KeyChange.sealed != "")).exists():
        KeyChange.update(sealed="").where(old).execute()
    rows = KeyChange.select().order_by(KeyChange.since, KeyChange.id)
    return [Announced(of=row.of, key=row.key, sealed=row.sealed) for row in rows]


def end_of(fingerprint: str) -> datetime | None:
    """Return until when a key was taken; None: it was never changed for another."""
    row = KeyChange.get_or_none(KeyChange.of == fingerprint)
    return row.until if row is not None else None


def reseal(resealer: Resealer) -> int:
    """Seal every secret of the database with the active key; return how many were not yet.

    Their contexts count as changed, so that the leader hands out what hosts can open later, too.
    """
    with writing():
        rows = [row for row in ConfigKey.select().where(ConfigKey.sealed) if _reseal(row, resealer)]
        if rows:
            touch(_contexts_of(rows), next_revision())
    return len(rows)


def _reseal(row: Any, resealer: Resealer) -> bool:
    try:
        fresh = resealer.resealed(row.value)
    except Insecure:
        _log.error(
            "the secret %s cannot be opened with any key of this host: set it anew", row.name
        )
        return False
    if fresh == row.value:
        return False
    ConfigKey.update(value=fresh).where(ConfigKey.id == row.id).execute()
    return True


def _contexts_of(rows: Iterable[Any]) -> list[ContextKey]:
    kept = list(rows)
    query = Context.select(Context.key, Context.job)
    if not any(row.scope is Scope.GLOBAL for row in kept):
        jobs = {row.job_id for row in kept if row.scope is Scope.JOB}
        keys = {row.context_id for row in kept if row.scope is Scope.CONTEXT}
        query = query.where(Context.job.in_(sorted(jobs)) | Context.key.in_(sorted(keys)))
    return [ContextKey(row.key) for row in query]

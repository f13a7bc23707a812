"""What a person does with a context: enable, disable, hold, suspend, delete."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from kirby.core.errors import Conflict, InvalidInput, NotFound
from kirby.core.names import ContextKey
from kirby.core.nouns import JobKind, Suspension
from kirby.model.database import writing
from kirby.model.definitions import Absence, Context, Job, SuspensionRow
from kirby.model.revisions import next_revision, touch


def find_context(context: str) -> Any:
    """Return a context's row.

    Raises:
        NotFound: there is none of this name.
    """
    row = Context.get_or_none(Context.key == context)
    if row is None:
        raise NotFound(f'there is no context "{context}": see kirby jobs')
    return row


def set_enabled(context: ContextKey, enabled: bool, now: datetime) -> bool:
    """Let a context fire, or not; return whether that changed anything.

    The time in between is kept as an absence: no fire is due in it (rule P1).
    """
    with writing():
        row = find_context(context)
        if row.enabled == enabled:
            return False
        revision = next_revision()
        if enabled:
            close_absence(context, now)
        else:
            open_absence(context, now, revision)
        Context.update(enabled=enabled, revision=revision).where(Context.key == context).execute()
    return True


def set_held(context: ContextKey, held: bool) -> bool:
    """Stop a daemon until it is started again, or start it; return whether that changed anything.

    Raises:
        Conflict: the job is no daemon, and was never held.
    """
    with writing():
        row = find_context(context)
        if held and row.job.kind is not JobKind.DAEMON:
            raise Conflict(f"{context} is no daemon: disable or suspend it instead")
        if row.held == held:
            return False
        revision = next_revision()
        Context.update(held=held, revision=revision).where(Context.key == context).execute()
    return True


def suspend(
    context: ContextKey, window: Suspension, by: str, now: datetime, by_document: bool = False
) -> int:
    """Add a window in which a context does not fire; return its number.

    Raises:
        InvalidInput: it ends before it starts.
        Conflict: the very same window is there already, or the job is a daemon.
    """
    if window.end <= window.start:
        raise InvalidInput(
            f"the suspension of {context} ends at {window.end:%Y-%m-%d %H:%M}, "
            "before it starts: swap the two",
            field="end",
        )
    with writing():
        if find_context(context).job.kind is JobKind.DAEMON:
            raise Conflict(f"{context} is a daemon, it does not fire: disable it instead")
        same = (
            (SuspensionRow.context == context)
            & (SuspensionRow.start == window.start)
            & (SuspensionRow.end == window.end)
        )
        if SuspensionRow.select().where(same).exists():
            raise Conflict(f"{context} is suspended in this very window already")
        row = SuspensionRow.create(
            context=context,
            start=window.start,
            end=window.end,
            reason=window.reason,
            by=by,
            by_document=by_document,
            made=now,
        )
        touch([context], next_revision())
    return int(row.id)


def unsuspend(context: ContextKey, number: int) -> None:
    """Take a suspension away.

    Raises:
        NotFound: the context has none of this number.
    """
    with writing():
        chosen = (SuspensionRow.id == number) & (SuspensionRow.context == context)
        if not SuspensionRow.delete().where(chosen).execute():
            raise NotFound(f"{context} has no suspension {number}: see kirby suspend {context}")
        touch([context], next_revision())


def suspensions_of(context: ContextKey) -> Iterable[Any]:
    """Return the rows of a context's suspensions, earliest first."""
    chosen = SuspensionRow.select().where(SuspensionRow.context == context)
    return list(chosen.order_by(SuspensionRow.start))


def delete_context(context: ContextKey, now: datetime, revision: int) -> None:
    """Delete a context; its absence is kept, so that the leader learns of it."""
    open_absence(context, now, revision, deleted=True)
    Context.delete().where(Context.key == context).execute()


def delete_job(job: str, now: datetime, revision: int) -> None:
    """Delete a job with all its contexts."""
    for row in Context.select(Context.key).where(Context.job == job):
        open_absence(ContextKey(row.key), now, revision, deleted=True)
    Job.delete().where(Job.name == job).execute()


def open_absence(context: ContextKey, now: datetime, revision: int, deleted: bool = False) -> None:
    """Begin an absence; one that is open already goes on, and may become a deletion."""
    open_one = (Absence.context == context) & Absence.end.is_null()
    if Absence.select().where(open_one).exists():
        Absence.update(deleted=deleted, revision=revision).where(open_one).execute()
        return
    Absence.create(context=context, start=now, deleted=deleted, revision=revision)


def close_absence(context: ContextKey, now: datetime) -> None:
    """End the open absence of a context, if there is one."""
    open_one = (Absence.context == context) & Absence.end.is_null()
    Absence.update(end=now).where(open_one).execute()

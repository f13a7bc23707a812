"""The global revision: every change to a context bumps it, and the context remembers it."""

from collections.abc import Iterable

from kirby.core.names import ContextKey
from kirby.model.definitions import Context, Revision

ROW = 1


def current_revision() -> int:
    """Return the number of the last change."""
    return int(Revision.get_by_id(ROW).number)


def next_revision() -> int:
    """Draw the number of a change; inside the transaction that makes the change.

    The row stays locked until that transaction ends, so a reader that sees a revision sees all
    earlier ones, too.
    """
    Revision.update(number=Revision.number + 1).where(Revision.id == ROW).execute()
    return current_revision()


def touch(contexts: Iterable[ContextKey], revision: int) -> None:
    """Mark contexts as changed by a revision."""
    keys = list(contexts)
    for begin in range(0, len(keys), 500):  # SQLite takes 999 parameters in its older builds
        batch = keys[begin : begin + 500]
        Context.update(revision=revision).where(Context.key.in_(batch)).execute()

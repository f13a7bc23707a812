"""What is too old is forgotten: 90 days of runs, attempts, stretches and absences are kept."""

from datetime import datetime, timedelta

from kirby.model.access import Session, SignInLink
from kirby.model.database import writing
from kirby.model.definitions import Absence, SuspensionRow
from kirby.model.happenings import Attempt, HostRow, Run, StretchRow

KEPT = timedelta(days=90)
HOST_KEPT = timedelta(days=7)  # a host that was not heard for so long is no host any more


def prune(now: datetime) -> int:
    """Delete what the retention no longer keeps; return how many rows that were."""
    old = now - KEPT
    doomed = [
        Run.delete().where(Run.due < old),
        Attempt.delete().where(Attempt.ended < old),
        Attempt.delete().where(
            Attempt.ended.is_null() & (Attempt.seen < old) & ~Attempt.run.contains("#")
        ),
        StretchRow.delete().where(StretchRow.last < old),
        Absence.delete().where(Absence.end < old),
        SuspensionRow.delete().where(SuspensionRow.end < old),
        HostRow.delete().where(HostRow.heard < now - HOST_KEPT),
        SignInLink.delete().where(SignInLink.expires < now),
        Session.delete().where(Session.expires < now),
    ]
    with writing():
        return sum(query.execute() for query in doomed)

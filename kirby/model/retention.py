"""What is too old is forgotten: 90 days of runs, attempts, stretches and absences are kept."""

from datetime import datetime, timedelta

from kirby.model.access import Session, SignInLink
from kirby.model.database import writing
from kirby.model.definitions import Absence, SuspensionRow
from kirby.model.happenings import Attempt, HostRow, Run, StretchRow
from kirby.model.roll_outs import RollOutStep
from kirby.model.serving import FORGOTTEN_AFTER, WebServiceRow, take_turn

KEPT = timedelta(days=90)
HOST_KEPT = timedelta(days=7)  # a host that was not heard for so long is no host any more
PRUNE = "prune"
PRUNE_EVERY = timedelta(hours=1)


def prune(now: datetime) -> int:
    """Delete what the retention no longer keeps; return how many rows that were.

    Of several web services one does it, each hour.
    """
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
        WebServiceRow.delete().where(WebServiceRow.seen < now - FORGOTTEN_AFTER),
        RollOutStep.delete().where(RollOutStep.at < old),
        SignInLink.delete().where(SignInLink.expires < now),
        Session.delete().where(Session.expires < now),
    ]
    with writing():
        if not take_turn(PRUNE, PRUNE_EVERY, now):
            return 0
        return sum(query.execute() for query in doomed)

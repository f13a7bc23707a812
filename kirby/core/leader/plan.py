"""Which fires of one context are decided now: offered, skipped, missed, or left for later.

Section "Plan" and rules O2 and O4 of ARCHITECTURE. `decide_fires` looks at the stretch from the
last instant considered up to the look-ahead, and says what to do in the order of the due instants.
The instant considered never passes a fire that was not decided, and never goes back (I7).
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias

from kirby.core.nouns import CatchUp, Overlap, Policies, RunEnd, Suspension
from kirby.core.planning.suspensions import covering, next_unsuspended
from kirby.core.planning.windows import LONGEST, LONGEST_DEFAULT, ONE_SHOT

# What a suspension skips is recorded in stretches of a minute while it lasts: soon enough for
# someone who looks, and one record for sixty fires of a schedule by the second.
STRETCH = timedelta(minutes=1)
CATCH_UP_CAP = 100
RECENT_FIRES = 300  # of a schedule by the second, all that can be inside that window


class Timetable(Protocol):
    """The fires of a context, from all its schedules."""

    def next_after(self, after: datetime) -> datetime | None:
        """Return the first due instant later than `after`."""

    def span(self, after: datetime, until: datetime) -> tuple[datetime, datetime, int] | None:
        """Return the first and last due instant in (after, until], and how many there are."""

    def last(self, after: datetime, until: datetime, most: int) -> list[datetime]:
        """Return the last `most` due instants in (after, until], in order."""

    def window(self, due: datetime) -> timedelta:
        """Return the default start window of a fire (rule O2)."""


@dataclass(frozen=True, kw_only=True)
class OfferFire:
    """Offer this fire."""

    due: datetime
    not_before: datetime
    deadline: datetime


@dataclass(frozen=True, kw_only=True)
class SkipFire:
    """End this fire without an offer."""

    due: datetime
    reason: str


@dataclass(frozen=True, kw_only=True)
class RecordStretch:
    """End a stretch of fires for one and the same reason."""

    end: RunEnd
    reason: str
    first: datetime
    last: datetime
    count: int


@dataclass(frozen=True, kw_only=True)
class LookAgain:
    """Nothing more is to be decided before this instant."""

    at: datetime


Decision: TypeAlias = OfferFire | SkipFire | RecordStretch | LookAgain


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What is needed to decide the fires of a context."""

    timetable: Timetable
    policies: Policies
    suspensions: tuple[Suspension, ...]
    considered: datetime
    open_since: datetime | None  # due instant of the earliest open run; None: no run is open
    is_closing: bool = False  # the definition is about to change: leave nothing for later

    def window(self, due: datetime) -> timedelta:
        """Return the start window of a fire."""
        laid_down = self.policies.start_window
        return min(laid_down, LONGEST) if laid_down else self.timetable.window(due)

    def suspended(self, due: datetime) -> Suspension | None:
        """Return the suspension that a due instant lies in."""
        return covering(self.suspensions, due)


def decide_fires(planned: Planned, now: datetime, lookahead: timedelta) -> Iterator[Decision]:
    """Decide what can be decided now, earliest first; end with when to look again.

    Args:
        planned: the context.
        now: on the broker's clock.
        lookahead: how long before its instant a fire is offered.
    """
    considered, open_since = planned.considered, planned.open_since
    while (due := planned.timetable.next_after(considered)) is not None:
        for decision in _decide(planned, considered, due, now, lookahead, open_since):
            yield decision
            match decision:
                case LookAgain():
                    return
                case RecordStretch(last=instant):
                    considered = instant
                case SkipFire(due=instant):
                    considered = instant
                case OfferFire(due=instant):
                    considered, open_since = instant, open_since or instant


def _decide(
    planned: Planned,
    considered: datetime,
    due: datetime,
    now: datetime,
    lookahead: timedelta,
    open_since: datetime | None,
) -> Iterable[Decision]:
    suspension = planned.suspended(due)
    if suspension is not None:
        return [_suspended(planned, suspension, considered, due, now)]
    if due + planned.window(due) < now:
        return _late(planned, considered, due, now, open_since)
    if due > now + lookahead:
        return [LookAgain(at=due - lookahead)]
    return [_overlapping(planned, due, now, open_since) or _on_time(planned, due)]


def _on_time(planned: Planned, due: datetime) -> OfferFire:
    return OfferFire(due=due, not_before=due, deadline=due + planned.window(due))


def _overlapping(
    planned: Planned, due: datetime, now: datetime, open_since: datetime | None
) -> Decision | None:
    """Apply rule O4: wait until the due instant for the open run to end, then skip."""
    if planned.policies.overlap is not Overlap.FORBID or open_since is None:
        return None
    if now < due:
        return LookAgain(at=due)
    return SkipFire(due=due, reason=f"the run of {_clock(open_since)} was still on")


def _suspended(
    planned: Planned, suspension: Suspension, considered: datetime, due: datetime, now: datetime
) -> Decision:
    """Record what a suspension skipped: at its end, and each minute while it lasts."""
    if due > now:
        return LookAgain(at=due)
    until = min(now, suspension.end - timedelta(microseconds=1))
    first, last, count = planned.timetable.span(considered, until) or (due, due, 1)
    following = planned.timetable.next_after(last)
    goes_on = following is not None and following < suspension.end and not planned.is_closing
    if goes_on and now < first + STRETCH:
        ends_soon = suspension.end <= first + STRETCH
        # Not later than its last fire: what follows the suspension is to be offered ahead.
        return LookAgain(at=following if following and ends_soon else first + STRETCH)
    reason = f"suspended: {suspension.reason}" if suspension.reason else "suspended"
    return RecordStretch(end=RunEnd.SKIPPED, reason=reason, first=first, last=last, count=count)


def _end_of_late(planned: Planned, considered: datetime, now: datetime) -> datetime:
    """Return the last fire of the late stretch: before a suspension, and past its window."""
    starts = [each.start for each in planned.suspensions if each.start > considered]
    until = min([now, *(start - timedelta(microseconds=1) for start in starts)])
    late_until = min(until, now - _widest_window(planned, considered, until))
    span = planned.timetable.span(considered, late_until - timedelta(microseconds=1))
    if span is not None:
        return span[1]
    return planned.timetable.next_after(considered) or considered


def _widest_window(planned: Planned, considered: datetime, until: datetime) -> timedelta:
    """Return a window so wide that every fire older than it is late."""
    if planned.policies.start_window is not None:
        return planned.policies.start_window
    recent = planned.timetable.last(max(considered, until - LONGEST_DEFAULT), until, RECENT_FIRES)
    return max((planned.window(due) for due in recent), default=LONGEST_DEFAULT)


def _late(
    planned: Planned,
    considered: datetime,
    due: datetime,
    now: datetime,
    open_since: datetime | None,
) -> Iterator[Decision]:
    """Apply the catch-up policy to fires whose start window has passed."""
    end = _end_of_late(planned, considered, now)
    span = planned.timetable.span(considered, end) or (due, due, 1)
    chosen = _caught_up(planned, considered, end, now, open_since)
    first, last, count = span
    missed = count - len(chosen)
    if missed:
        last_missed = _before(planned, considered, chosen[0] if chosen else None, last)
        yield RecordStretch(
            end=RunEnd.MISSED,
            reason="nobody fired at the time",
            first=first,
            last=last_missed,
            count=missed,
        )
    for fire in chosen:
        yield OfferFire(due=fire, not_before=now, deadline=now + ONE_SHOT)


def _caught_up(
    planned: Planned,
    considered: datetime,
    end: datetime,
    now: datetime,
    open_since: datetime | None,
) -> list[datetime]:
    """Choose which late fires are offered after all.

    The latest is not, if a later fire is still on time: then that one is the latest. A context
    that forbids overlap catches up with one run at the most, and with none while a run is open.
    """
    most = {CatchUp.NONE: 0, CatchUp.LATEST: 1, CatchUp.ALL: CATCH_UP_CAP}[
        planned.policies.catch_up
    ]
    if planned.policies.overlap is Overlap.FORBID:
        most = 0 if open_since is not None else min(most, 1)
    following = next_unsuspended(planned.timetable, planned.suspensions, end)
    is_latest = following is None or following > now
    if planned.policies.catch_up is CatchUp.LATEST and not is_latest:
        most = 0
    return planned.timetable.last(considered, end, most) if most else []


def _before(
    planned: Planned, considered: datetime, chosen: datetime | None, last: datetime
) -> datetime:
    if chosen is None:
        return last
    earlier = planned.timetable.last(considered, chosen - timedelta(microseconds=1), 1)
    return earlier[0]


def _clock(instant: datetime) -> str:
    return instant.strftime("%H:%M:%S UTC")

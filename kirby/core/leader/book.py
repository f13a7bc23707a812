"""One context as the leader keeps it: its definition, its cursor, its open fires."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from kirby.core.leader.fire import Standing, Tracked
from kirby.core.leader.holders import Stands
from kirby.core.leader.plan import Planned, Timetable
from kirby.core.names import ContextKey, FencingToken, RunId
from kirby.core.nouns import Definition, JobKind, LeaderReason, Policies, Suspension
from kirby.core.planning.windows import ONE_SHOT
from kirby.core.records import Cursor, DaemonOffer, Offsets

NO_TOKEN = FencingToken(0)  # the counter of a context that has offered nothing yet


@dataclass(frozen=True, kw_only=True)
class Successor:
    """What the schedule says of a context now; it holds once the old definition is closed."""

    definition: Definition | None
    gone: LeaderReason = LeaderReason.DELETED


@dataclass(kw_only=True)
class Book:
    """What the leader knows of one context; mutable, and owned by the ledger."""

    context: ContextKey
    considered: datetime
    definition: Definition | None = None
    timetable: Timetable | None = None
    token: FencingToken = NO_TOKEN
    generation: int = 0
    fires: dict[str, Tracked] = field(default_factory=dict)
    successor: "Successor | None" = None  # what is to replace the definition
    gone: LeaderReason = LeaderReason.DELETED  # why, where there is no definition
    posted: DaemonOffer | None = None  # the daemon's offer that stands in the log
    stands: Stands | None = None  # where; None: it was not read back yet
    recent: dict[RunId, None] = field(default_factory=dict)  # runs by hand that have ended
    written: datetime | None = None  # when its cursor was last written
    claims_named: Offsets = ()  # as the cursor that was read up names them
    runs_named: Offsets = ()

    @property
    def is_daemon(self) -> bool:
        """Whether it runs all the time."""
        return self.definition is not None and self.definition.kind is JobKind.DAEMON

    @property
    def policies(self) -> Policies:
        """Return the policies that hold now."""
        return self.definition.policies if self.definition is not None else Policies()

    @property
    def open_since(self) -> datetime | None:
        """Return the due instant of the earliest open run; None where no run is open."""
        return min((tracked.fire.due for tracked in self.fires.values()), default=None)

    def remember(self, run: RunId, most: int) -> None:
        """Keep the id of a run that was asked for by hand and has ended."""
        self.recent[run] = None
        while len(self.recent) > most:
            del self.recent[next(iter(self.recent))]

    def planned(self, is_closing: bool = False) -> Planned | None:
        """Return what is needed to decide its fires; None where it does not fire."""
        if self.definition is None or self.timetable is None or self.is_daemon:
            return None
        return Planned(
            timetable=self.timetable,
            policies=self.definition.policies,
            suspensions=self._suspensions,
            considered=self.considered,
            open_since=self.open_since,
            is_closing=is_closing,
        )

    def standing(self, tracked: Tracked, lookahead: timedelta) -> Standing:
        """Return how the context stands for one of its fires."""
        return Standing(
            policies=self.policies,
            lookahead=lookahead,
            window=self._window(tracked),
            gone=self._gone(tracked.fire.due),
        )

    def _window(self, tracked: Tracked) -> timedelta:
        if self.policies.start_window is not None:
            return self.policies.start_window
        if self.timetable is None or tracked.fire.manual:
            return ONE_SHOT
        return self.timetable.window(tracked.fire.due)

    def _gone(self, due: datetime) -> LeaderReason | None:
        if self.definition is None:
            return self.gone
        suspended = any(each.start <= due < each.end for each in self._suspensions)
        return LeaderReason.SUSPENDED if suspended else None

    @property
    def _suspensions(self) -> tuple[Suspension, ...]:
        """Return all windows without fires: asked for, or while the context was disabled.

        Those of a definition that is about to hold count for what the old one decides, too (P1).
        """
        following = self.successor.definition if self.successor is not None else None
        known = [each for each in (self.definition, following) if each is not None]
        windows = [window for each in known for window in (*each.suspensions, *each.absences)]
        return tuple(dict.fromkeys(windows))

    def cursor(self, now: datetime, claims: Offsets, runs: Offsets, requests: Offsets) -> Cursor:
        """Write down how far the leader has come with this context."""
        return Cursor(
            context=self.context,
            considered=self.considered,
            revision=self.definition.revision if self.definition is not None else 0,
            definition=self.definition,
            token=self.token,
            generation=self.generation,
            open=tuple(tracked.fire for tracked in self.fires.values()),
            by_hand=tuple(self.recent),
            claims=claims,
            runs=runs,
            requests=requests,
            written=now,
        )

"""The leader's planning over real schedules: whatever is slept through, no fire is lost (I3)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from kirby.core.leader.plan import (
    LookAgain,
    OfferFire,
    Planned,
    RecordStretch,
    SkipFire,
    decide_fires,
)
from kirby.core.nouns import CatchUp, Overlap, Policies, RunEnd, Suspension
from kirby.core.planning.fires import Fires
from tests.builders.planning import fires, utc

BEGIN = utc("2026-10-24T22:00")  # the night of a repeat in Brussels
LOOKAHEAD = timedelta(seconds=2)
Decided = tuple[datetime, datetime, int, str]  # first, last, count, what became of them


class Leader:
    """Decides at the instants it wakes at, and remembers how far it has come."""

    def __init__(self, context: Fires, policies: Policies, suspensions: Sequence[Suspension]):
        self.considered = BEGIN
        self.context = context
        self.policies = policies
        self.suspensions = tuple(suspensions)
        self.decided: list[Decided] = []

    def wakes(self, now: datetime) -> None:
        planned = Planned(
            timetable=self.context,
            policies=self.policies,
            suspensions=self.suspensions,
            considered=self.considered,
            open_since=None,
        )
        for decision in decide_fires(planned, now, LOOKAHEAD):
            match decision:
                case LookAgain(at=at):
                    assert at > now - LOOKAHEAD
                case RecordStretch(first=first, last=last, count=count, end=end):
                    self.note((first, last, count, end.value))
                case SkipFire(due=due):
                    self.note((due, due, 1, "skipped"))
                case OfferFire(due=due):
                    self.note((due, due, 1, "offered"))

    def note(self, decided: Decided) -> None:
        assert decided[0] > self.considered
        self.considered = decided[1]
        self.decided.append(decided)

    def offered(self) -> list[datetime]:
        return [first for first, _, _, what in self.decided if what == "offered"]


WAKES = st.lists(st.integers(1, 12 * 3600), min_size=1, max_size=6, unique=True).map(sorted)
SUSPENSIONS = st.lists(
    st.tuples(st.integers(0, 40_000), st.integers(60, 20_000)).map(
        lambda at: Suspension(
            start=BEGIN + timedelta(seconds=at[0]), end=BEGIN + timedelta(seconds=at[0] + at[1])
        )
    ),
    max_size=2,
)
CONTEXTS = st.sampled_from(
    [
        fires("*/10 * * * *", zone="Europe/Brussels"),
        fires("30 2 * * *", "*/30 * * * *", zone="Europe/Brussels"),
        fires("*/20 * * * * *"),
        fires("0 0 * * *", "7 */3 * * *", zone="Australia/Lord_Howe"),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    context=CONTEXTS,
    catch_up=st.sampled_from(CatchUp),
    overlap=st.sampled_from([Overlap.ALLOW, Overlap.FORBID]),
    wakes=WAKES,
    suspensions=SUSPENSIONS,
)
def test_whenever_the_leader_wakes_each_fire_is_decided_exactly_once(
    context: Fires,
    catch_up: CatchUp,
    overlap: Overlap,
    wakes: list[int],
    suspensions: list[Suspension],
) -> None:
    leader = Leader(context, Policies(catch_up=catch_up, overlap=overlap), suspensions)

    for wake in wakes:
        leader.wakes(BEGIN + timedelta(seconds=wake))

    assert sum(count for _, _, count, _ in leader.decided) == context.count(
        BEGIN, leader.considered
    )
    for first, last, count, _ in leader.decided:
        assert context.count(first - timedelta(seconds=1), last) == count
    for due in leader.offered():
        assert not any(each.start <= due < each.end for each in suspensions)


def test_an_outage_around_a_suspension_is_caught_up_with_the_one_latest_fire() -> None:
    closed = Suspension(start=BEGIN + timedelta(hours=2), end=BEGIN + timedelta(hours=4))
    leader = Leader(fires("*/10 * * * *"), Policies(catch_up=CatchUp.LATEST), [closed])

    leader.wakes(BEGIN + timedelta(hours=6, minutes=8))

    assert leader.offered() == [BEGIN + timedelta(hours=6)]


def test_before_a_suspension_that_lasts_the_latest_fire_is_caught_up() -> None:
    closed = Suspension(start=BEGIN + timedelta(hours=2), end=BEGIN + timedelta(hours=9))
    leader = Leader(fires("*/10 * * * *"), Policies(catch_up=CatchUp.LATEST), [closed])

    leader.wakes(BEGIN + timedelta(hours=6, minutes=8))

    assert leader.offered() == [BEGIN + timedelta(hours=1, minutes=50)]
    assert {what for *_, what in leader.decided} == {
        RunEnd.MISSED.value,
        RunEnd.SKIPPED.value,
        "offered",
    }

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from kirby.core.errors import NotFound
from kirby.core.names import ContextKey, Epoch, run_id
from kirby.core.nouns import AttemptEnd, RunEnd
from kirby.core.records import Armed, FirstLine, Stretch, TopicName
from kirby.model.cluster import daemons, hosts, leader
from kirby.model.happenings import Run
from kirby.model.projection import Placed, offsets, take
from kirby.model.retention import KEPT, prune
from kirby.model.runs import (
    RunFilter,
    RunState,
    RunView,
    StretchView,
    fires,
    missed_since,
    place,
    run_view,
)
from tests.builders.databases import a_database
from tests.builders.model import PUMP
from tests.builders.records import (
    DUE,
    RUN,
    a_beat,
    a_heartbeat,
    an_ended,
    an_exited,
    an_offered,
    of_step,
)

MINUTE = timedelta(minutes=1)
FAN = ContextKey("fan/prod")


@pytest.fixture(autouse=True)
def opened(tmp_path: Path) -> Iterator[None]:
    with a_database(tmp_path):
        yield


def tell(*records: object, topic: TopicName = TopicName.RUNS) -> None:
    begin = offsets().get((topic, 0), 0)
    take(
        [
            Placed(topic=topic, partition=0, offset=begin + at, record=record)  # type: ignore[arg-type]
            for at, record in enumerate(records)
        ]
    )


def ten_runs(context: ContextKey = PUMP) -> None:
    for at in range(10):
        due = DUE + at * MINUTE
        tell(an_ended(run=run_id(context, due), due=due))


def a_stretch(end: RunEnd = RunEnd.SKIPPED, at_minute: float = 3.5, count: int = 30) -> Stretch:
    first = DUE + at_minute * MINUTE
    return Stretch(
        context=PUMP, end=end, reason="suspended", first=first, last=first, count=count,
        epoch=Epoch(1), at=first,
    )  # fmt: skip


def test_the_latest_runs_come_first() -> None:
    ten_runs()

    found = fires(RunFilter(limit=3))

    assert [fire.due for fire in found] == [DUE + at * MINUTE for at in (9, 8, 7)]


def test_the_next_page_begins_where_the_last_one_ended() -> None:
    ten_runs()
    ten_runs(FAN)
    first = fires(RunFilter(limit=7))

    second = fires(RunFilter(limit=13, before=place(first[-1])))

    assert len({place(fire) for fire in first + second}) == 20


def test_runs_can_be_asked_for_by_context_time_and_end() -> None:
    ten_runs()
    ten_runs(FAN)
    tell(an_ended(run=run_id(PUMP, DUE + 20 * MINUTE), end=RunEnd.FAILED))

    found = fires(RunFilter(contexts=[PUMP], since=DUE + MINUTE, end=RunEnd.FAILED))

    assert [place(fire)[1] for fire in found] == ["pump/prod@2026-11-23T12:20:00Z"]


def test_a_stretch_stands_among_the_runs_of_its_time() -> None:
    ten_runs()
    tell(a_stretch())

    found = fires(RunFilter(contexts=[PUMP], limit=50))

    assert [type(fire) for fire in found[5:7]] == [RunView, StretchView]


def test_a_run_tells_of_all_its_attempts() -> None:
    tell(
        an_offered(attempt=1),
        an_exited(attempt=1, end=AttemptEnd.FAILED, exit_status=1, reason="exit status 1"),
        an_offered(attempt=2),
        an_exited(attempt=2),
        an_ended(attempts=2),
    )

    view = run_view(RUN)

    assert [each.exit_status for each in view.tries] == [1, 0]
    assert view.attempts == 2


def test_a_run_between_two_attempts_waits() -> None:
    tell(an_offered(), an_exited(end=AttemptEnd.FAILED, exit_status=1))

    assert run_view(RUN).state is RunState.WAITING


def test_a_run_whose_first_line_was_reached_is_running() -> None:
    tell(an_offered(), Armed(**of_step()), FirstLine(**of_step(), late_us=900))

    assert run_view(RUN).state is RunState.RUNNING


def test_a_run_of_which_nothing_was_heard_is_not_found() -> None:
    with pytest.raises(NotFound, match="nothing is known"):
        run_view("pump/prod@2020-01-01T00:00:00Z")


def test_missed_fires_are_counted_with_those_of_stretches() -> None:
    tell(a_stretch(RunEnd.MISSED, count=30), an_ended(end=RunEnd.LOST), a_stretch(at_minute=9))

    assert missed_since(DUE - MINUTE) == 31


def test_what_the_retention_no_longer_keeps_is_forgotten() -> None:
    ten_runs()

    prune(DUE + KEPT + 4.5 * MINUTE)

    assert Run.select().count() == 5


def test_the_leading_host_is_marked_while_it_beats() -> None:
    tell(a_heartbeat(), topic=TopicName.HOSTS)
    tell(a_beat(), topic=TopicName.LEADERSHIP)

    (lively,) = hosts(DUE + timedelta(seconds=1))
    (silent,) = hosts(DUE + MINUTE)

    assert (lively.leads, lively.alive) == (True, True)
    assert (silent.leads, silent.alive) == (False, False)


def test_before_anyone_leads_there_is_no_leader() -> None:
    assert leader(DUE) is None
    assert daemons(DUE) == []

import random
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from kirby.core.names import Epoch, Host, Incarnation, RunId
from kirby.core.nouns import AttemptEnd, NotStartedReason, RunEnd
from kirby.core.records import (
    AnyRecord,
    Armed,
    Exited,
    FirstLine,
    Held,
    Instance,
    InstanceState,
    Logged,
    NotStarted,
    Parked,
    Phase,
    Released,
    Stretch,
    TopicName,
)
from kirby.model.happenings import Attempt, DaemonInstance, HostRow, Leader, Run, StretchRow
from kirby.model.projection import Placed, offsets, take
from tests.builders.databases import a_database
from tests.builders.model import PUMP
from tests.builders.records import (
    ALPHA,
    DUE,
    RUN,
    a_beat,
    a_heartbeat,
    an_ended,
    an_exited,
    an_offered,
    of_step,
)

MS = timedelta(milliseconds=1)
A_WHOLE_RUN: list[AnyRecord] = [
    an_offered(),
    Armed(**of_step(at=DUE - 1500 * MS), package="pump==1.0", claimed_at=DUE - 1800 * MS),
    Parked(**of_step(at=DUE - 1400 * MS), pid=4711),
    Released(**of_step(at=DUE)),
    FirstLine(**of_step(at=DUE + MS), late_us=1400),
    Logged(**of_step(at=DUE + 200 * MS), partition=2, first_offset=10, last_offset=12, lines=30),
    an_exited(),
    Logged(**of_step(at=DUE + 400 * MS), partition=2, first_offset=10, last_offset=15, lines=44),
    an_ended(),
]


@pytest.fixture(autouse=True)
def opened(tmp_path: Path) -> Iterator[None]:
    with a_database(tmp_path):
        yield


def placed(
    records: Sequence[AnyRecord], topic: TopicName = TopicName.RUNS, begin: int = 0
) -> list[Placed]:
    return [
        Placed(topic=topic, partition=0, offset=begin + at, record=record)
        for at, record in enumerate(records)
    ]


def rows() -> list[object]:
    return [*Run.select().order_by(Run.id).dicts(), *Attempt.select().dicts()]


def test_the_steps_of_a_run_become_its_row_and_its_attempt() -> None:
    take(placed(A_WHOLE_RUN))

    run = Run.get_by_id(RUN)
    attempt = Attempt.get()
    assert (run.end, run.begun, run.attempts) == (RunEnd.SUCCEEDED, DUE, 1)
    assert (attempt.host, attempt.late_us, attempt.exit_status) == ("alpha", 1400, 0)
    assert (attempt.log_first, attempt.log_last, attempt.log_lines) == (10, 15, 44)


def test_steps_in_any_order_give_the_same_rows() -> None:
    take(placed(A_WHOLE_RUN))
    in_order = rows()
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    shuffled = random.Random(seed).sample(A_WHOLE_RUN, len(A_WHOLE_RUN))
    Run.delete().execute()
    Attempt.delete().execute()

    take(placed(shuffled, begin=100))

    assert [_without_seen(row) for row in rows()] == [_without_seen(row) for row in in_order]


def _without_seen(row: object) -> object:
    assert isinstance(row, dict)
    return {name: value for name, value in row.items() if name != "seen"}


def test_a_batch_that_comes_again_changes_nothing() -> None:
    take(placed(A_WHOLE_RUN))
    before = rows()

    take(placed([an_ended(end=RunEnd.FAILED)]))

    assert rows() == before


def test_the_first_end_of_a_run_stands() -> None:
    take(placed([an_ended(end=RunEnd.LOST), an_ended(end=RunEnd.SUCCEEDED)]))

    assert Run.get_by_id(RUN).end is RunEnd.LOST


def test_offsets_stand_after_the_last_record_that_was_taken() -> None:
    take(placed(A_WHOLE_RUN, begin=5), read_up_to={(TopicName.HOSTS, 0): 40})

    assert offsets() == {(TopicName.RUNS, 0): 14, (TopicName.HOSTS, 0): 40}


def test_an_attempt_that_never_began_says_why() -> None:
    step = NotStarted(**of_step(), why=NotStartedReason.INSTALLATION, reason="no such package")

    take(placed([step]))

    attempt = Attempt.get()
    assert attempt.end is AttemptEnd.NOT_STARTED
    assert attempt.not_started is NotStartedReason.INSTALLATION
    assert attempt.reason == "no such package"


def test_a_life_of_a_daemon_has_an_attempt_and_no_run() -> None:
    take(placed([an_exited(run="tap/prod#alpha", end=AttemptEnd.FAILED, exit_status=1)]))

    assert Attempt.get().context == "tap/prod"
    assert Run.select().count() == 0


def test_a_stretch_of_fires_is_one_row() -> None:
    stretch = Stretch(
        context=PUMP,
        end=RunEnd.SKIPPED,
        reason="suspended: inventory",
        first=DUE,
        last=DUE + timedelta(hours=1),
        count=7,
        epoch=Epoch(3),
        at=DUE,
    )

    take(placed([stretch, stretch]))

    assert StretchRow.get().fires == 7


def test_a_reason_with_a_character_that_postgresql_refuses_is_kept_without_it() -> None:
    take(placed([an_exited(reason="exit \x00 3")]))

    assert Attempt.get().reason == "exit \N{REPLACEMENT CHARACTER} 3"


def test_a_record_that_the_tables_refuse_is_passed_over_and_the_rest_is_taken() -> None:
    odd = Stretch(
        context=PUMP, end=RunEnd.MISSED, reason="", first=DUE, last=DUE, count=0, epoch=Epoch(1),
        at=DUE,
    )  # fmt: skip

    take(placed([odd, *A_WHOLE_RUN]))

    assert StretchRow.select().count() == 0
    assert Run.get_by_id(RUN).end is RunEnd.SUCCEEDED
    assert offsets() == {(TopicName.RUNS, 0): 10}


def a_tap(state: InstanceState = InstanceState.RUNNING, restarts: int = 0) -> Instance:
    from kirby.core.names import ContextKey

    return Instance(context=ContextKey("tap/prod"), state=state, restarts=restarts)


def test_a_heartbeat_becomes_the_host_and_its_daemons() -> None:
    take(placed([a_heartbeat(instances=(a_tap(),))], TopicName.HOSTS))

    assert HostRow.get_by_id("alpha").free_slots == 6
    assert DaemonInstance.get_by_id("tap/prod#alpha").state is InstanceState.RUNNING


def test_a_daemon_that_the_host_no_longer_lists_is_gone() -> None:
    take(placed([a_heartbeat(instances=(a_tap(),))], TopicName.HOSTS))

    take(placed([a_heartbeat(sent=DUE + 5000 * MS)], TopicName.HOSTS, begin=1))

    assert DaemonInstance.select().count() == 0


def test_a_daemon_that_lives_stays_shown_while_a_new_runner_has_not_been_told_of_it() -> None:
    tap = a_tap()
    take(placed([a_heartbeat(instances=(tap,))], TopicName.HOSTS))
    held = Held(run=RunId(f"{tap.context}#{ALPHA}"), attempt=1, phase=Phase.RUNNING)
    anew = a_heartbeat(incarnation=Incarnation(8), sent=DUE + 5000 * MS, held=(held,))

    take(placed([anew], TopicName.HOSTS, begin=1))

    assert [row.context for row in DaemonInstance.select()] == [tap.context]


def test_a_heartbeat_of_an_earlier_incarnation_changes_nothing() -> None:
    newer = a_heartbeat(incarnation=Incarnation(9), free_slots=1)
    older = a_heartbeat(incarnation=Incarnation(8), free_slots=8, sent=DUE + 5000 * MS)

    take(placed([newer, older], TopicName.HOSTS))

    assert HostRow.get().free_slots == 1


def test_a_host_whose_incarnations_begin_again_is_shown_once_the_earlier_one_is_silent() -> None:
    before = a_heartbeat(incarnation=Incarnation(900), free_slots=1)
    in_a_new_log = a_heartbeat(incarnation=Incarnation(8), free_slots=8, sent=DUE + 60_000 * MS)

    take(placed([before, in_a_new_log], TopicName.HOSTS))

    assert HostRow.get().free_slots == 8


def test_the_leader_of_the_highest_epoch_leads() -> None:
    beats = [a_beat(ALPHA, 3), a_beat(Host("beta"), 8), a_beat(ALPHA, 3, DUE + 9000 * MS)]

    take(placed(beats, TopicName.LEADERSHIP))

    assert Leader.get().host == "beta"


def test_an_attempt_keeps_its_first_end() -> None:
    first = Exited(**of_step(), end=AttemptEnd.TIMED_OUT, reason="over its time limit of 2 s")

    take(placed([first, an_exited()]))

    assert Attempt.get().end is AttemptEnd.TIMED_OUT

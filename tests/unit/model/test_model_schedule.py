from collections.abc import Iterator
from pathlib import Path

import pytest

from kirby.core.nouns import CronLine, JobKind, Policies, Suspension
from kirby.model.contexts import delete_context, set_enabled, set_held, suspend
from kirby.model.database import writing
from kirby.model.definitions import ConfigKey, Scope
from kirby.model.revisions import current_revision, next_revision
from kirby.model.schedule import definition_of, schedule_since
from tests.builders.databases import a_database
from tests.builders.model import NOON, PUMP, SECOND, a_context


@pytest.fixture(autouse=True)
def opened(tmp_path: Path) -> Iterator[None]:
    with a_database(tmp_path):
        yield


def test_the_whole_schedule_has_every_enabled_context_with_all_that_the_leader_needs() -> None:
    a_context("pump/prod", cron="*/5 2 * * 1-5", package="pump==1.4")

    schedule = schedule_since(None, NOON)

    assert schedule is not None
    assert schedule.whole
    (pump,) = schedule.contexts
    assert pump.package == "pump==1.4"
    assert pump.schedules == (CronLine(cron="*/5 2 * * 1-5", zone="UTC"),)
    assert pump.policies == Policies()
    assert pump.revision == schedule.revision


def test_without_a_change_there_is_nothing_to_say() -> None:
    a_context()

    assert schedule_since(current_revision(), NOON) is None


def test_a_change_of_one_context_gives_only_that_one() -> None:
    a_context("pump/prod")
    fan = a_context("fan/prod")
    before = current_revision()

    suspend(fan, Suspension(start=NOON, end=NOON + SECOND), by="anna", now=NOON)

    schedule = schedule_since(before, NOON)
    assert schedule is not None
    assert not schedule.whole
    assert [each.context for each in schedule.contexts] == ["fan/prod"]


def test_a_disabled_context_is_named_as_gone() -> None:
    a_context("pump/prod")
    before = current_revision()

    set_enabled(PUMP, False, NOON)

    schedule = schedule_since(before, NOON)
    assert schedule is not None
    assert schedule.gone == ("pump/prod",)
    assert schedule.contexts == ()


def test_a_deleted_context_is_named_as_gone() -> None:
    a_context("pump/prod")
    before = current_revision()

    with writing():
        delete_context(PUMP, NOON, next_revision())

    schedule = schedule_since(before, NOON)
    assert schedule is not None
    assert schedule.gone == ("pump/prod",)


def test_an_enabled_context_carries_the_stretch_in_which_it_was_disabled() -> None:
    a_context("pump/prod")
    set_enabled(PUMP, False, NOON)

    set_enabled(PUMP, True, NOON + 60 * SECOND)

    assert definition_of(PUMP, NOON).absences == (
        Suspension(start=NOON, end=NOON + 60 * SECOND, reason="disabled"),
    )


def test_disabling_twice_changes_nothing_the_second_time() -> None:
    a_context("pump/prod")
    set_enabled(PUMP, False, NOON)
    before = current_revision()

    changed = set_enabled(PUMP, False, NOON + SECOND)

    assert not changed
    assert current_revision() == before


def test_a_revision_from_the_future_is_answered_with_the_whole_schedule() -> None:
    a_context()

    schedule = schedule_since(10_000, NOON)

    assert schedule is not None
    assert schedule.whole


def test_the_narrower_scope_of_a_variable_wins() -> None:
    a_context("pump/prod")
    ConfigKey.create(scope=Scope.GLOBAL, name="RATE", value="1")
    ConfigKey.create(scope=Scope.GLOBAL, name="SITE", value="north")
    ConfigKey.create(scope=Scope.JOB, job="pump", name="RATE", value="2")
    ConfigKey.create(scope=Scope.CONTEXT, context="pump/prod", name="RATE", value="3")

    variables = definition_of(PUMP, NOON).variables

    assert [(each.name, each.value) for each in variables] == [("RATE", "3"), ("SITE", "north")]


def test_a_held_daemon_stays_in_the_schedule() -> None:
    tap = a_context("tap/prod", kind=JobKind.DAEMON)

    set_held(tap, True)

    schedule = schedule_since(None, NOON)
    assert schedule is not None
    assert [each.held for each in schedule.contexts] == [True]

from datetime import UTC, datetime, timedelta

from kirby.core.guarding.builds import (
    BuildFailed,
    Builds,
    BuildSucceeded,
    Event,
    Failed,
    Removed,
    RetryAsked,
    StartBuild,
    Tick,
    Wanted,
    step,
)
from kirby.core.requirement import Requirement

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FORECAST = Requirement(name="forecast", version="0.9.2")
START = StartBuild(requirement=FORECAST, source_builds=False)


def wanted(revision: int = 1, *, source_builds: bool = False) -> Wanted:
    return Wanted(requirement=FORECAST, revision=revision, source_builds=source_builds)


def failed(*, temporary: bool) -> BuildFailed:
    return BuildFailed(requirement=FORECAST, sentence="no wheel", temporary=temporary)


def after(*events: Event, now: datetime = NOON) -> Builds:
    builds = Builds()
    for event in events:
        builds, _ = step(builds, event, now)
    return builds


def effects(builds: Builds, event: Event, now: datetime = NOON) -> list[StartBuild]:
    return step(builds, event, now)[1]


def test_a_package_that_is_wanted_is_built_once() -> None:
    builds = Builds()

    building, first = step(builds, wanted(), NOON)
    second = effects(building, wanted())

    assert first == [START]
    assert second == []


def test_an_environment_that_is_there_is_not_built_again() -> None:
    builds = after(wanted(), BuildSucceeded(requirement=FORECAST))

    assert effects(builds, wanted(revision=2)) == []


def test_a_fault_that_stays_is_not_tried_again_by_itself() -> None:
    builds = after(wanted(), failed(temporary=False))

    much_later = NOON + timedelta(days=30)

    assert builds.wake_at() is None
    assert effects(builds, Tick(), much_later) == []
    assert effects(builds, wanted(), much_later) == []


def test_a_changed_definition_is_tried_again() -> None:
    builds = after(wanted(revision=1), failed(temporary=False))

    assert effects(builds, wanted(revision=2)) == [START]


def test_allowing_source_builds_is_a_reason_to_try_again() -> None:
    builds = after(wanted(), failed(temporary=False))

    started = effects(builds, wanted(source_builds=True))

    assert started == [StartBuild(requirement=FORECAST, source_builds=True)]


def test_a_person_may_ask_for_another_try() -> None:
    builds = after(wanted(), failed(temporary=False))

    assert effects(builds, RetryAsked(requirement=FORECAST)) == [START]


def test_asking_again_while_it_is_being_built_starts_nothing() -> None:
    builds = after(wanted())

    assert effects(builds, RetryAsked(requirement=FORECAST)) == []


def test_a_temporary_fault_is_tried_again_after_five_seconds_and_not_before() -> None:
    builds = after(wanted(), failed(temporary=True))

    assert builds.wake_at() == NOON + timedelta(seconds=5)
    assert effects(builds, Tick(), NOON + timedelta(seconds=4.9)) == []
    assert effects(builds, Tick(), NOON + timedelta(seconds=5)) == [START]


def test_the_wait_doubles_up_to_five_minutes() -> None:
    builds, now, waits = after(wanted()), NOON, []

    for _ in range(9):
        builds, _ = step(builds, failed(temporary=True), now)
        standing = builds.standing[FORECAST]
        assert isinstance(standing, Failed)
        assert standing.again is not None
        waits.append((standing.again - now).total_seconds())
        now = standing.again
        builds, _ = step(builds, Tick(), now)

    assert waits == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_an_hour_of_a_dead_index_costs_few_builds() -> None:
    builds, started = after(wanted()), 0

    for second in range(3600):
        now = NOON + timedelta(seconds=second)
        builds, more = step(builds, Tick(), now)
        if more or second == 0:
            started += 1
            builds, _ = step(builds, failed(temporary=True), now)

    assert started < 20


def test_an_environment_that_was_removed_is_built_when_it_is_wanted_again() -> None:
    builds = after(wanted(), BuildSucceeded(requirement=FORECAST), Removed(requirement=FORECAST))

    assert effects(builds, wanted()) == [START]

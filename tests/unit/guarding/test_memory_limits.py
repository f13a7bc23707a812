"""Who is over the memory limit."""

from kirby.core.guarding.memory_limits import MemoryLimits
from kirby.core.names import AttemptId

PUMP = AttemptId(run="pump/prod@12:00", attempt=1)


def watching(limit: int = 100_000_000) -> MemoryLimits:
    return MemoryLimits().begun(PUMP, pid=4711, limit=limit)


def test_a_script_within_its_limit_is_left_alone() -> None:
    _, over = watching().sampled({4711: 99_000_000})

    assert over == []


def test_a_script_over_its_limit_is_stopped_once_with_a_sentence() -> None:
    limits, first = watching().sampled({4711: 150_000_000})
    _, second = limits.sampled({4711: 150_000_000})

    assert first == [(PUMP, "it took 150 MB of memory, over its limit of 100 MB")]
    assert second == []


def test_a_script_without_a_limit_is_never_stopped() -> None:
    _, over = watching(limit=0).sampled({4711: 10**12})

    assert over == []


def test_a_script_that_ended_is_watched_no_longer() -> None:
    assert watching().ended(PUMP).scripts == {}


def test_a_step_without_a_process_begins_nothing() -> None:
    assert MemoryLimits().begun(PUMP, pid=0, limit=1).scripts == {}

import pytest

from kirby.core.nouns import AttemptEnd
from kirby.core.shipping.attempt_end import end_of, signal_name
from kirby.core.shipping.run_folder import Entry, Meta

META = Meta(time_limit="2 min", memory_limit="200 MB")


def entry(step: str, **fields: object) -> Entry:
    return Entry(step=step, at_ns=0, **fields)  # type: ignore[arg-type]


def exited(status: int | None = None, signal: int | None = None, stop: str = "") -> Entry:
    return entry("exited", status=status, signal=signal, stop=stop)


def stop_asked(reason: str, sentence: str = "", by: str = "") -> Entry:
    return entry("stop_asked", reason=reason, sentence=sentence, by=by)


def judged(*entries: Entry, meta: Meta = META) -> tuple[AttemptEnd, str]:
    return end_of(entries, entries[-1], meta)


def test_status_zero_is_success_and_needs_no_sentence() -> None:
    assert judged(exited(0)) == (AttemptEnd.SUCCEEDED, "")


@pytest.mark.parametrize(
    ("end", "sentence"),
    [
        (exited(3), "exit status 3"),
        (exited(signal=11), "killed by SIGSEGV"),
        (exited(signal=15), "killed by SIGTERM"),
        (exited(signal=40), "killed by signal 40"),
        (exited(signal=9), "killed by SIGKILL, which Kirby did not send: perhaps memory ran out"),
    ],
)
def test_another_status_or_a_signal_is_a_failure(end: Entry, sentence: str) -> None:
    assert judged(end) == (AttemptEnd.FAILED, sentence)


@pytest.mark.parametrize("end", [exited(0, stop="time limit"), exited(signal=9, stop="time limit")])
def test_over_its_time_limit_is_timed_out_however_it_ended(end: Entry) -> None:
    asked = stop_asked("time limit", "over its time limit of 120 s", "shim")

    assert judged(asked, end) == (AttemptEnd.TIMED_OUT, "over its time limit of 2 min")
    assert judged(asked, end, meta=Meta())[1] == "over its time limit of 120 s"
    assert judged(end, meta=Meta())[1] == "over its time limit"


def test_over_its_memory_is_a_failure_whether_kernel_or_watchdog_was_sooner() -> None:
    by_kernel = judged(exited(signal=9, stop="memory"))
    by_watchdog = judged(stop_asked("memory", "too much"), exited(signal=15, stop="memory"))

    assert by_kernel == by_watchdog == (AttemptEnd.FAILED, "over its memory limit of 200 MB")


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        (stop_asked("asked", by="anna"), "stopped by anna"),
        (stop_asked("asked", "stopped by anna: wrong input"), "stopped by anna: wrong input"),
        (stop_asked("asked"), "stopped"),
        (stop_asked("replaced", "replaced by version 1.5.0"), "replaced by version 1.5.0"),
        (stop_asked("held"), "stopped: held"),
    ],
)
@pytest.mark.parametrize("status", [0, 143, None])
def test_one_that_was_asked_to_stop_is_stopped_whatever_its_status(
    asked: Entry, sentence: str, status: int | None
) -> None:
    end = exited(status, signal=9 if status is None else None, stop=asked.reason)

    assert judged(asked, end) == (AttemptEnd.STOPPED, sentence)


def test_the_sentence_is_that_of_the_reason_which_the_shim_noted_at_the_end() -> None:
    asked, lease = stop_asked("asked", by="anna"), stop_asked("lease", "the lease ended")

    assert judged(asked, exited(0)) == (AttemptEnd.SUCCEEDED, "")
    assert judged(asked, lease, exited(signal=9, stop="lease"))[1] == "killed: the lease ended"


def test_an_exclusive_script_without_a_lease_is_lost() -> None:
    verdict = judged(exited(signal=9, stop="lease"))

    assert verdict == (AttemptEnd.LOST, "killed: the lease of its host ended")


def test_an_end_without_status_or_signal_is_lost() -> None:
    assert judged(exited()) == (AttemptEnd.LOST, "its exit status is lost")


def test_signals_are_called_by_their_names() -> None:
    assert [signal_name(number) for number in (6, 9, 13, 24, 64)] == [
        "SIGABRT",
        "SIGKILL",
        "SIGPIPE",
        "SIGXCPU",
        "signal 64",
    ]

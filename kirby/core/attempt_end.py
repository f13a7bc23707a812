"""How an attempt ended, from what the shim saw: the end, and a sentence for people."""

from collections.abc import Sequence

from kirby.core.nouns import AttemptEnd
from kirby.core.run_folder import Entry, Meta

TIME_LIMIT = "time limit"  # reasons of a stop, as they are given to the shim
MEMORY = "memory"
# Numbers of Linux on the machines that Python is built for; others are told as numbers.
_SIGNALS = {
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS",
    8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE",
    14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
}  # fmt: skip


def signal_name(number: int) -> str:
    """Return what a signal is called."""
    return _SIGNALS.get(number, f"signal {number}")


def end_of(journal: Sequence[Entry], exited: Entry, meta: Meta) -> tuple[AttemptEnd, str]:
    """Judge an attempt that began and exited."""
    if exited.stop == TIME_LIMIT:
        return AttemptEnd.TIMED_OUT, _over("time limit", meta.time_limit)
    if exited.stop == MEMORY:
        return AttemptEnd.FAILED, _over("memory limit", meta.memory_limit)
    if exited.stop:
        return AttemptEnd.STOPPED, _stop_sentence(journal, exited)
    if exited.signal is not None:
        return AttemptEnd.FAILED, f"killed by {signal_name(exited.signal)}"
    if exited.status == 0:
        return AttemptEnd.SUCCEEDED, ""
    return AttemptEnd.FAILED, f"exit status {exited.status}"


def _over(limit: str, amount: str) -> str:
    return f"over its {limit} of {amount}" if amount else f"over its {limit}"


def _stop_sentence(journal: Sequence[Entry], exited: Entry) -> str:
    asked = next((entry for entry in journal if entry.step == "stop_asked"), None)
    return asked.sentence if asked is not None and asked.sentence else f"stopped: {exited.stop}"

"""How an attempt ended, from what the shim saw: the end, and a sentence for people."""

from collections.abc import Sequence

from kirby.core.nouns import AttemptEnd
from kirby.core.shipping.run_folder import Entry, Meta

# Numbers of Linux on the machines that Python is built for; others are told as numbers.
_SIGNALS = {
    1: "SIGHUP", 2: "SIGINT", 3: "SIGQUIT", 4: "SIGILL", 5: "SIGTRAP", 6: "SIGABRT", 7: "SIGBUS",
    8: "SIGFPE", 9: "SIGKILL", 10: "SIGUSR1", 11: "SIGSEGV", 12: "SIGUSR2", 13: "SIGPIPE",
    14: "SIGALRM", 15: "SIGTERM", 24: "SIGXCPU", 25: "SIGXFSZ", 31: "SIGSYS",
}  # fmt: skip
_KILL = 9


def signal_name(number: int) -> str:
    """Return what a signal is called."""
    return _SIGNALS.get(number, f"signal {number}")


def end_of(journal: Sequence[Entry], exited: Entry, meta: Meta) -> tuple[AttemptEnd, str]:
    """Judge an attempt that began and exited; why it was made to end counts more than its status.

    Args:
        journal: all its lines.
        exited: the last of them.
        meta: with the limits, for the sentence.
    """
    asked = _asked(journal, exited.stop)
    match exited.stop:
        case "":
            return _by_itself(exited)
        case "time limit":
            return AttemptEnd.TIMED_OUT, _over(asked, "over its time limit", meta.time_limit)
        case "memory":
            return AttemptEnd.FAILED, _over(asked, "over its memory limit", meta.memory_limit)
        case "lease":
            # Nothing was wrong with the script: the policy for lost runs applies (rule L6).
            sentence = asked.sentence if asked is not None else ""
            return AttemptEnd.LOST, f"killed: {sentence or 'the lease of its host ended'}"
        case reason:
            return AttemptEnd.STOPPED, _stop_sentence(asked, reason)


def _by_itself(exited: Entry) -> tuple[AttemptEnd, str]:
    if exited.signal == _KILL:
        sentence = "killed by SIGKILL, which Kirby did not send: perhaps memory ran out"
        return AttemptEnd.FAILED, sentence
    if exited.signal is not None:
        return AttemptEnd.FAILED, f"killed by {signal_name(exited.signal)}"
    if exited.status is None:
        return AttemptEnd.LOST, "its exit status is lost"
    if exited.status == 0:
        return AttemptEnd.SUCCEEDED, ""
    return AttemptEnd.FAILED, f"exit status {exited.status}"


def _asked(journal: Sequence[Entry], reason: str) -> Entry | None:
    """Return the line that asked for the stop; None where the kernel was sooner than Kirby."""
    asked = (entry for entry in journal if entry.step == "stop_asked" and entry.reason == reason)
    return next(asked, None)


def _over(asked: Entry | None, over: str, limit: str) -> str:
    if limit:
        return f"{over} of {limit}"
    return asked.sentence if asked is not None and asked.sentence else over


def _stop_sentence(asked: Entry | None, reason: str) -> str:
    if asked is not None and asked.sentence:
        return asked.sentence
    if asked is not None and asked.by:
        return f"stopped by {asked.by}"
    return "stopped" if reason == "asked" else f"stopped: {reason}"

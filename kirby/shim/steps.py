"""The lines of a journal: what happened to an attempt, for the Recorder and for the next shim."""

import os

from kirby.shim.attempt import Attempt
from kirby.shim.events import Gone
from kirby.shim.kernel import SECOND
from kirby.shim.requests import LONGEST_SENTENCE, Request

FINAL = ("exited", "not_started", "lost")

WITHDRAWN = "withdrawn"
DEADLINE = "deadline passed"
NO_ROOM = "no room"
INTERRUPTED = "interrupted"
REFUSED = "refused"


def armed(attempt: Attempt) -> Request:
    """It was taken."""
    return {"step": "armed", "incarnation": attempt.order.incarnation}


def parked(attempt: Attempt) -> Request:
    """Its interpreter is on its way to the gate, or waits there."""
    return {"step": "parked", "pid": attempt.pid, "started": attempt.started}


def releasing() -> Request:
    """It will be let go at its instant; whoever reads this counts it as begun."""
    return {"step": "releasing"}


def released(attempt: Attempt) -> Request:
    """It was let go."""
    return {
        "step": "released",
        "pid": attempt.pid,
        "started": attempt.started,
        "released_boot_ns": attempt.released,
    }


def first_line(attempt: Attempt, instant: int) -> Request:
    """The gate handed the interpreter to the script, this late."""
    due = attempt.order.not_before or attempt.released
    return {"step": "first_line", "late_us": max(0, instant - due) // 1000}


def stop_asked(reason: str, sentence: str, by: str) -> Request:
    """It is being stopped."""
    return {
        "step": "stop_asked",
        "reason": reason,
        "sentence": sentence[:LONGEST_SENTENCE],
        "by": by,
    }


def not_started(why: str, sentence: str) -> Request:
    """It never began."""
    return {"step": "not_started", "why": why, "sentence": sentence[:LONGEST_SENTENCE]}


def lost(sentence: str) -> Request:
    """It began, and nobody can tell how it ended."""
    return {"step": "lost", "sentence": sentence[:LONGEST_SENTENCE]}


def exited(attempt: Attempt, gone: Gone, now: int) -> Request:
    """It ended: a status or a signal, and what it used."""
    status, signal = told(gone.status or 0)
    return {
        "step": "exited",
        "status": status,
        "signal": signal,
        "stop": attempt.stop or ("memory" if gone.out_of_memory else ""),
        "utime": round(gone.cpu[0], 6),
        "stime": round(gone.cpu[1], 6),
        "maxrss": gone.maxrss,
        "seconds": round(max(0, now - attempt.released) / SECOND, 6),
        "dropped_bytes": gone.dropped,
    }


def told(wait_status: int) -> tuple[int | None, int | None]:
    """Take a wait status apart: exit status, or signal."""
    if os.WIFSIGNALED(wait_status):
        return None, os.WTERMSIG(wait_status)
    return os.WEXITSTATUS(wait_status), None

"""What time and processes bring: release at the due instant, limits, leases, ends."""

from kirby.shim import events, steps
from kirby.shim.attempt import Attempt
from kirby.shim.effects import (
    Answer,
    Close,
    Effect,
    Kill,
    Launch,
    Note,
    Quit,
    Release,
    Terminate,
)
from kirby.shim.held import Held
from kirby.shim.kernel import MILLISECOND
from kirby.shim.phases import Move, Phase

TOGETHER_NS = 20 * MILLISECOND
AHEAD_NS = 100 * MILLISECOND  # one sync notes all that is to be let go within this time


def tick(book: Held, now: int) -> list[Effect]:
    """Do all that is due."""
    releases: list[Effect] = []
    notes: list[Effect] = []
    others: list[Effect] = []
    company = 0
    for attempt in list(book.living()):
        if attempt.phase.begun:
            others += guard(book, attempt, now)
        elif attempt.order.not_before <= now and attempt.durable:
            company = company or together(book, now)
            done = let_go(book, attempt, now, company)
            releases += done[:1]
            notes += done[1:]
        elif attempt.order.not_before - AHEAD_NS <= now and not attempt.durable:
            others += prepare(book, attempt, now)
        elif not book.leased(attempt, now):
            others += without_lease(attempt, now)
    return [*releases, *notes, *others, *(farewell(book) if others or notes else [])]


def instants(book: Held, attempt: Attempt) -> list[int]:
    """Return when `tick` has something to do with an attempt."""
    when = []
    if attempt.phase in (Phase.ARMED, Phase.PARKED):
        when.append(attempt.order.not_before - AHEAD_NS)
    elif attempt.phase is Phase.RELEASING and attempt.durable:
        when.append(attempt.order.not_before)
    if attempt.order.exclusive and attempt.stop != "lease" and not attempt.left:
        when.append(book.lease_ends)
    when += [instant for instant in (attempt.limit_at, attempt.kill_at) if instant]
    return when


def prepare(book: Held, attempt: Attempt, now: int) -> list[Effect]:
    """Note that it will be let go, or that it may not be any more."""
    if refused := unfit(book, attempt, now):
        return refused
    if attempt.phase is Phase.RELEASING:
        return []  # noted already, waits for the disk
    attempt.move(Move.PREPARE, now)
    return [Note(attempt.key, steps.releasing())]


def unfit(book: Held, attempt: Attempt, now: int) -> list[Effect]:
    """Withdraw it if its deadline has passed or its lease has ended: the last look (rule S2)."""
    if now > attempt.order.deadline:
        return withdraw(attempt, steps.DEADLINE, "its deadline has passed", now)
    return [] if book.leased(attempt, now) else without_lease(attempt, now)


def without_lease(attempt: Attempt, now: int) -> list[Effect]:
    """Withdraw an exclusive attempt that has not begun when the lease ends."""
    sentence = "the lease of this host has ended, and the script is exclusive"
    return withdraw(attempt, steps.REFUSED, sentence, now)


def withdraw(attempt: Attempt, why: str, sentence: str, now: int) -> list[Effect]:
    """End an attempt that has not begun."""
    attempt.move(Move.WITHDRAW, now)
    return [Close(attempt.key), Note(attempt.key, steps.not_started(why, sentence))]


def together(book: Held, now: int) -> int:
    """Count the interpreters that are let go at about this instant.

    What is due at one instant is not armed for the same nanosecond: clocks are read one by one.
    """
    near = (one for one in book.living() if abs(one.order.not_before - now) <= TOGETHER_NS)
    return sum(1 for one in near if one.pid)


def let_go(book: Held, attempt: Attempt, now: int, company: int) -> list[Effect]:
    """Let it begin; the first of what is returned is the deed, the rest can wait for a moment."""
    if refused := unfit(book, attempt, now):
        return refused
    if not attempt.pid:
        return [Launch(attempt.key)]
    return [Release(attempt.key, company), *begin(attempt, now)]


def begin(attempt: Attempt, now: int) -> list[Effect]:
    """Enter the running phase."""
    attempt.move(Move.LET_GO, now)
    attempt.released = now
    attempt.limit_at = now + attempt.order.time_limit if attempt.order.time_limit else 0
    return [Note(attempt.key, steps.released(attempt), lazily=True)]


def guard(book: Held, attempt: Attempt, now: int) -> list[Effect]:
    """Look after one that runs: its lease, its time limit, its grace."""
    if attempt.left:
        return []
    if not book.leased(attempt, now):
        return kill_without_lease(attempt, now)
    if attempt.limit_at and attempt.limit_at <= now:
        return over_time(attempt, now)
    if attempt.kill_at and attempt.kill_at <= now:
        attempt.kill_at = 0
        return [Kill(attempt.key)]
    return []


def kill_without_lease(attempt: Attempt, now: int) -> list[Effect]:
    """Kill an exclusive script whose lease has ended: rather dead than twice (rule L6)."""
    if attempt.stop == "lease":
        return []
    if attempt.phase is Phase.RUNNING:
        attempt.move(Move.STOP, now)
    attempt.stop = "lease"
    attempt.limit_at = attempt.kill_at = 0
    sentence = "the lease of its host ended"
    return [Kill(attempt.key), Note(attempt.key, steps.stop_asked("lease", sentence, "shim"))]


def over_time(attempt: Attempt, now: int) -> list[Effect]:
    """Stop a script that has run for as long as it may."""
    attempt.move(Move.STOP, now)
    attempt.stop = "time limit"
    attempt.limit_at = 0
    attempt.kill_at = now + attempt.order.grace
    sentence = f"over its time limit of {attempt.order.time_limit / 1e9:g} s"
    noted = Note(attempt.key, steps.stop_asked(attempt.stop, sentence, "shim"))
    return [noted, Terminate(attempt.key)]


def synced(book: Held) -> list[Effect]:
    """Take note that every `releasing` so far is on the disk."""
    for attempt in book.living():
        if attempt.phase is Phase.RELEASING:
            attempt.durable = True
    return []


def taken(book: Held, event: events.Taken, now: int) -> list[Effect]:
    """Go on with an attempt whose folder was made or whose process was started."""
    attempt = book.attempts[event.key]
    attempt.pid = event.pid
    attempt.started = event.started
    if attempt.phase is Phase.RELEASING:
        return begin(attempt, now)
    attempt.folder = event.folder
    noted: list[Effect] = [Note(attempt.key, steps.armed(attempt))]
    if attempt.pid:
        attempt.move(Move.PARK, now)
        noted.append(Note(attempt.key, steps.parked(attempt)))
    to, attempt.to = attempt.to, None
    return [*noted, Answer(to, **attempt.held())]


def not_taken(book: Held, event: events.NotTaken, now: int) -> list[Effect]:
    """Refuse the arm, or end an attempt whose process could not be started at its instant."""
    attempt = book.attempts[event.key]
    if attempt.phase is Phase.RELEASING:
        why = steps.REFUSED if event.code == "not_found" else steps.NO_ROOM
        return [*withdraw(attempt, why, event.sentence, now), *farewell(book)]
    del book.attempts[event.key]
    return [Answer(attempt.to, ok=False, refused=event.code, sentence=event.sentence)]


def first_line(book: Held, event: events.FirstLine) -> list[Effect]:
    """Note how late it was."""
    attempt = book.attempts.get(event.key)
    if attempt is None or not attempt.phase.begun:
        return []
    return [Note(attempt.key, steps.first_line(attempt, event.instant), lazily=True)]


def exited(book: Held, event: events.Exited, now: int) -> list[Effect]:
    """Take note that its own process ended: from now on nothing changes its reason."""
    attempt = book.attempts.get(event.key)
    if attempt is not None:
        attempt.left = now
        attempt.limit_at = attempt.kill_at = 0
    return []


def gone(book: Held, event: events.Gone, now: int) -> list[Effect]:
    """End an attempt of which nothing is left."""
    attempt = book.attempts.get(event.key)
    if attempt is None or not attempt.phase.lives:
        return []
    if not attempt.phase.begun:
        sentence = f"its interpreter ended before it was let go ({described(event.status)})"
        return [*withdraw(attempt, steps.REFUSED, sentence, now), *farewell(book)]
    attempt.move(Move.END, now)
    if event.status is None:
        noted = steps.lost("it ended, and its exit status is lost")
    elif event.closed_gate:
        noted = steps.lost("the shim died at the moment of its release")
    else:
        noted = steps.exited(attempt, event, attempt.left or now)
    return [Note(attempt.key, noted), *farewell(book)]


def described(wait_status: int | None) -> str:
    """Say a wait status in words."""
    if wait_status is None:
        return "status unknown"
    status, signal = steps.told(wait_status)
    return f"exit status {status}" if signal is None else f"signal {signal}"


def farewell(book: Held) -> list[Effect]:
    """Answer the request to end, once nothing lives any more."""
    if book.farewell is None or next(book.living(), None):
        return []
    answer: Answer = book.farewell
    return [answer, Quit()]

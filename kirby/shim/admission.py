"""What becomes of a request: carried out, or refused with a reason."""

from kirby.shim import course, events, refusals, steps
from kirby.shim.attempt import Attempt
from kirby.shim.effects import (
    Answer,
    Discard,
    Effect,
    KeepCounters,
    Kill,
    Note,
    Remember,
    Take,
    Terminate,
)
from kirby.shim.held import BARRED, SHIPPED, Held
from kirby.shim.kernel import MILLISECOND
from kirby.shim.phases import Move, Phase


def decide(book: Held, event: object, now: int) -> list[Effect]:
    """Take one request; return what is to be done.

    Raises:
        Refused: it is not carried out.
    """
    match event:
        case events.Arm():
            return arm(book, event, now)
        case events.Stop():
            return stop(book, event, now)
        case events.Bar():
            return bar(book, event, now)
        case events.Renew():
            return renew(book, event, now)
        case events.List():
            return [Answer(event.to, attempts=[one.listed() for one in book.attempts.values()])]
        case events.Hello():
            return hello(book, event)
        case events.Shipped():
            return shipped(book, event, now)
        case events.End():
            return end(book, event, now)
        case _:
            raise TypeError(f"no such event: {event!r}")


def hello(book: Held, event: events.Hello) -> list[Effect]:
    """Remember the newest life of a Runner before it is told its number."""
    other = book.lives.greet(event.log, event.incarnation)
    answer = Answer(event.to, newest=book.newest, other_log=other, **book.identity)
    return [KeepCounters(), answer]


def require_current(book: Held, incarnation: int) -> None:
    """Refuse what an older Runner asks than the newest that said hello."""
    if incarnation < book.newest:
        raise refusals.superseded(book.newest, incarnation)


def arm(book: Held, event: events.Arm, now: int) -> list[Effect]:
    """Take an attempt, once; a repeat is answered with what is held (rule C5)."""
    order = event.order
    require_current(book, order.incarnation)
    key = order.run, order.attempt
    if book.outcomes.get(key) == BARRED:
        raise refusals.barred(*key)
    if key in book.attempts:
        return [Answer(event.to, **book.attempts[key].held())]
    if key in book.outcomes:
        return [Answer(event.to, **ended(*key))]
    refuse_what_may_not_begin(book, event, now)
    counted: list[Effect] = []
    if not order.attempt:
        order.attempt = book.counters[order.run] = book.counters.get(order.run, 0) + 1
        counted = [KeepCounters()]
    attempt = Attempt(order, now, event.to)
    book.attempts[attempt.key] = attempt
    return [*counted, Take(attempt.key, order, start=order.prestart)]


def refuse_what_may_not_begin(book: Held, event: events.Arm, now: int) -> None:
    """Raise the reason, if there is one, for which a new attempt is not taken."""
    order = event.order
    if book.farewell:
        raise refusals.ending()
    if order.kind == "daemon" and (lives := book.alive(order.run)):
        raise refusals.alive(order.run, lives.held())
    if now > order.deadline:
        raise refusals.past_deadline()
    if order.exclusive and now >= book.lease_ends:
        raise refusals.no_lease()
    if not event.room:
        raise refusals.full()


def ended(run: str, attempt: int) -> dict[str, object]:
    """Return what is told of an attempt whose folder was shipped."""
    return {"run": run, "attempt": attempt, "phase": Phase.ENDED.value, "folder": ""}


def bar(book: Held, event: events.Bar, now: int) -> list[Effect]:
    """Withdraw an attempt that has not begun; say what is held of one that has."""
    require_current(book, event.incarnation)
    attempt = find(book, event)
    if attempt is None:
        return bar_unseen(book, event, now)
    if attempt.phase.begun or not attempt.phase.lives:
        return [Answer(event.to, phase=phase_of(book, attempt))]
    if not event.room:
        raise refusals.full()
    book.remember(attempt.key, BARRED, now)
    return [
        *course.withdraw(attempt, steps.WITHDRAWN, event.sentence, now),
        Remember(attempt.key, BARRED),
        Answer(event.to, phase=BARRED),
        *course.farewell(book),
    ]


def bar_unseen(book: Held, event: events.Bar, now: int) -> list[Effect]:
    """Remember that an attempt never taken must not be; synced before it is answered."""
    outcome = book.outcomes.get(event.key)
    if outcome == SHIPPED or not event.attempt:  # a daemon of which none lives
        return [Answer(event.to, phase=Phase.ENDED.value)]
    if outcome == BARRED:
        return [Answer(event.to, phase=BARRED)]
    if not event.room:
        raise refusals.full()
    book.remember(event.key, BARRED, now)
    return [Remember(event.key, BARRED), Answer(event.to, phase=BARRED)]


def phase_of(book: Held, attempt: Attempt) -> str:
    """Return what a bar is told: one that was withdrawn is `barred` also when asked again."""
    return BARRED if book.outcomes.get(attempt.key) == BARRED else attempt.phase.value


def find(book: Held, event: events.Named) -> Attempt | None:
    """Return the attempt that a request names."""
    return book.attempts.get(event.key) if event.attempt else book.alive(event.run)


def stop(book: Held, event: events.Stop, now: int) -> list[Effect]:
    """Stop what runs; bar what has not begun."""
    require_current(book, event.incarnation)
    attempt = find(book, event)
    if attempt is None or not attempt.phase.begun or attempt.left:
        return bar(book, event, now)
    grace = attempt.order.grace if event.grace_ms is None else event.grace_ms * MILLISECOND
    stopped = halt(attempt, grace, event.reason, event.sentence, event.by, now)
    return [*stopped, Answer(event.to, phase=attempt.phase.value)]


def halt(
    attempt: Attempt, grace: int, reason: str, sentence: str, by: str, now: int
) -> list[Effect]:
    """Ask a running script to end; a second time only the grace can become shorter."""
    if attempt.phase is Phase.STOPPING:
        attempt.kill_at = min(attempt.kill_at or now + grace, now + grace)
        return []
    attempt.move(Move.STOP, now)
    attempt.stop = reason
    attempt.limit_at = 0
    attempt.kill_at = now + grace if grace else 0
    noted = Note(attempt.key, steps.stop_asked(reason, sentence, by))
    return [noted, Terminate(attempt.key) if grace else Kill(attempt.key)]


def renew(book: Held, event: events.Renew, now: int) -> list[Effect]:
    """Prolong the lease, after all that the lapsed one bound was killed (rule L6)."""
    require_current(book, event.incarnation)
    lapsed = course.tick(book, now)
    book.lease_ends = max(book.lease_ends, event.lease_ends)
    return [*lapsed, Answer(event.to, renewed=True)]


def shipped(book: Held, event: events.Shipped, now: int) -> list[Effect]:
    """Forget the folder; the attempt stays known for a day."""
    attempt = book.attempts.get(event.key)
    if attempt is None:
        if event.key in book.outcomes:
            return [Answer(event.to)]
        raise refusals.unknown(*event.key)
    if attempt.phase.lives:
        raise refusals.busy(1)
    del book.attempts[event.key]
    book.remember(event.key, SHIPPED, now)
    return [Remember(event.key, SHIPPED), Discard(event.key), Answer(event.to)]


def end(book: Held, event: events.End, now: int) -> list[Effect]:
    """End the shim; the scripts too if that is asked."""
    living = list(book.living())
    if living and not event.with_scripts:
        raise refusals.busy(len(living))
    book.farewell = Answer(event.to)
    done: list[Effect] = []
    for attempt in living:
        sentence = "the host was stopped together with its scripts"
        if attempt.phase.begun and not attempt.left:
            grace = min(attempt.order.grace, event.grace_ms * MILLISECOND)
            done += halt(attempt, grace, "asked", sentence, "shim", now)
        elif not attempt.phase.begun:
            done += course.withdraw(attempt, steps.INTERRUPTED, sentence, now)
    return [*done, *course.farewell(book)]

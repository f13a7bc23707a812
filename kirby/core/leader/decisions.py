"""One transaction of decisions: what was read is settled, what is due is offered (rule O1).

A draft that was handed out counts as written: if its commit fails, the leader stands down and the
whole ledger is thrown away.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from kirby.core.leader import superseded
from kirby.core.leader.book import Book, Successor
from kirby.core.leader.daemon_offers import decide_daemon
from kirby.core.leader.draft import Draft
from kirby.core.leader.fire import Tracked
from kirby.core.leader.ledger import LOOKAHEAD, Asked, Ledger
from kirby.core.leader.offering import (
    Desk,
    close_fires,
    open_by_hand,
    plan_fires,
    settle_fires,
    stop_by_hand,
)
from kirby.core.names import ContextKey, Host
from kirby.core.nouns import Definition
from kirby.core.records import Offsets, RestartRequest, RunRequest, StopRequest, TopicName

CURSOR_AGE = timedelta(minutes=1)  # the cursor of an open fire names offsets no older than this
AGING_CHECK = CURSOR_AGE / 6
# The schedule is asked for each second; where the web service is gone since, what is known holds.
SCHEDULE_WAIT = timedelta(seconds=5)


def decide(ledger: Ledger, now: datetime) -> Draft:
    """Decide all that can be decided now."""
    desk = Desk(
        now=now,
        epoch=ledger.epoch,
        lookahead=ledger.lookahead,
        roster=ledger.roster,
        draft=Draft(),
    )
    _judge_superseded(ledger)
    _answer_requests(ledger, desk)
    _mark_old_cursors(ledger, now)
    ledger.marked.update(dict.fromkeys(ledger.agenda.take_due(now + ledger.lookahead - LOOKAHEAD)))
    while ledger.marked and not desk.draft.is_full:
        _decide(ledger, desk, next(iter(ledger.marked)))
    # A cursor says that all which was read of its context is settled: so settle it first.
    for context in [each for each in desk.draft.touched if each in ledger.marked]:
        _decide(ledger, desk, context)
    for context in desk.draft.touched:
        _write_cursor(ledger, desk, ledger.books[context])
    return desk.draft


def wants_watermark(ledger: Ledger) -> bool:
    """Whether the high watermark of the runs topic must be asked for; ask once when told."""
    ledger.inquiry, wanted = superseded.ask(ledger.inquiry)
    return wanted


def _answer_requests(ledger: Ledger, desk: Desk) -> None:
    """Answer in the order of the log; what waits holds up the rest of its partition."""
    waiting: list[Asked] = []
    for asked in ledger.asked:
        is_behind = any(each.partition == asked.partition for each in waiting)
        if is_behind or _waits_for_schedule(ledger, asked, desk.now):
            waiting.append(replace(asked, held=asked.held or desk.now))
        else:
            _answer(ledger, desk, asked)
    ledger.asked = waiting


def _waits_for_schedule(ledger: Ledger, asked: Asked, now: datetime) -> bool:
    """Whether the context was changed before it was asked for, and the change is still to come."""
    request = asked.request
    if not isinstance(request, RunRequest) or request.revision <= (ledger.revision or 0):
        return False
    return now - (asked.held or now) < SCHEDULE_WAIT


def _answer(ledger: Ledger, desk: Desk, asked: Asked) -> None:
    request = asked.request
    book = ledger.books.setdefault(
        request.context, Book(context=request.context, considered=desk.now)
    )
    if book.successor is not None:
        _succeed(ledger, desk, book, book.successor)
    match request:
        case RunRequest():
            open_by_hand(desk, book, request)
        case StopRequest(run=run, asked_by=asked_by):
            stop_by_hand(book, run, asked_by)
        case RestartRequest():
            book.generation += 1
    ledger.consumed[asked.partition] = asked.offset + 1
    ledger.marked[book.context] = None
    desk.draft.touch(book.context)


def _decide(ledger: Ledger, desk: Desk, context: ContextKey) -> None:
    del ledger.marked[context]
    book = ledger.books[context]
    if book.successor is not None:
        _succeed(ledger, desk, book, book.successor)
    decide_daemon(desk, book, is_settled=ledger.is_settled, probation=ledger.probation)
    ledger.note_moving(book)
    if book.written is None:
        desk.draft.touch(book.context)
    settle_fires(desk, book)  # first, as an end makes room for a fire that waits (O4)
    times = (plan_fires(desk, book), settle_fires(desk, book))
    ledger.note_busy(book)
    ledger.agenda.set(context, min((time for time in times if time is not None), default=None))


def _succeed(ledger: Ledger, desk: Desk, book: Book, successor: Successor) -> None:
    """Replace a definition: what was due until now is decided by the old one."""
    if book.definition is None or not _fires_alike(book.definition, successor.definition):
        close_fires(desk, book)
        if desk.draft.is_full:  # there may be more to close: go on with the next transaction
            ledger.marked[book.context] = None
            return
        book.considered = max(book.considered, desk.now)
    book.successor, book.gone = None, successor.gone
    ledger.adopt(book, successor.definition)
    book.written = None


def _fires_alike(old: Definition, new: Definition | None) -> bool:
    """Whether two definitions fire at the same instants, by the same policies."""
    return new is not None and all(
        getattr(old, each) == getattr(new, each)
        for each in ("kind", "schedules", "suspensions", "absences", "policies")
    )


def _write_cursor(ledger: Ledger, desk: Desk, book: Book) -> None:
    book.written = desk.now
    cursor = book.cursor(
        desk.now,
        _offsets(ledger.claims_read),
        _offsets(ledger.runs_read),
        _offsets(ledger.consumed),
    )
    desk.draft.post(TopicName.CURSOR, book.context, cursor)


def _mark_old_cursors(ledger: Ledger, now: datetime) -> None:
    """Rewrite the cursors of open fires each minute, so that what they name stays young."""
    if ledger.next_aging is not None and now < ledger.next_aging:
        return
    ledger.next_aging = now + AGING_CHECK
    for book in (ledger.books[context] for context in ledger.busy):
        if book.written is None or now - book.written >= CURSOR_AGE:
            ledger.marked[book.context] = None
            book.written = None


def _judge_superseded(ledger: Ledger) -> None:
    ledger.inquiry, judged = superseded.judge(ledger.inquiry, _offsets(ledger.runs_read))
    for attempt in judged:
        tracked = ledger.tracked_of(attempt.run, attempt.attempt)
        if tracked is not None and tracked.report is None and ledger.is_superseded(tracked.fire):
            ledger.track(_void(ledger, tracked))


def _void(ledger: Ledger, tracked: Tracked) -> Tracked:
    """Apply rule L4: the same state folder would know it; so it never began."""
    fire = tracked.fire
    view = ledger.roster.view(Host(fire.holder or ""))
    folder = view.heartbeat.state_folder if view.heartbeat is not None else None
    if folder is not None and folder == fire.holder_folder:
        return replace(tracked, never_began=f"host {fire.holder} was restarted before it began")
    return replace(tracked, lost=f"host {fire.holder} came back with another state folder")


def _offsets(read: dict[int, int]) -> Offsets:
    """Return the next offset of each partition; 0 for one that nothing is known of."""
    return tuple(read.get(partition, 0) for partition in range(max(read, default=-1) + 1))

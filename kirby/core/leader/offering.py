"""How decisions about one context become records: offers, claims, ends, stretches (O1 to E3)."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from kirby.core.leader.book import Book
from kirby.core.leader.draft import Draft
from kirby.core.leader.fire import (
    EndFire,
    Judgement,
    OfferAttempt,
    PostClaim,
    Tracked,
    TryAgain,
    Wait,
    judge,
)
from kirby.core.leader.plan import (
    LookAgain,
    OfferFire,
    Planned,
    RecordStretch,
    SkipFire,
    decide_fires,
)
from kirby.core.leader.roster import Roster
from kirby.core.names import Epoch, FencingToken, RunId, due_of, run_id
from kirby.core.nouns import LeaderReason, Overlap, RunEnd, plan_of
from kirby.core.planning.windows import ONE_SHOT
from kirby.core.records import (
    Ended,
    LeaderClaim,
    Offer,
    Offered,
    OpenFire,
    RunRequest,
    Stretch,
    TopicName,
)

MOST_JUDGEMENTS = 8  # of one fire in one look; more would be two rules that undo each other
RECENT_RUNS = 100  # of a context, asked for by hand and ended: a doubled request finds them


@dataclass(frozen=True, kw_only=True)
class Desk:
    """What lies on the leader's desk: what all decisions of one transaction share."""

    now: datetime
    epoch: Epoch
    lookahead: timedelta
    roster: Roster
    draft: Draft


def close_fires(desk: Desk, book: Book) -> None:
    """Decide all due instants up to now, by the definition that is about to be replaced."""
    planned = book.planned(is_closing=True)
    if planned is not None:
        _decide_all(replace(desk, lookahead=timedelta(0)), book, planned)


def plan_fires(desk: Desk, book: Book) -> datetime | None:
    """Decide the due instants of a context; return when to look again."""
    planned = book.planned()
    return _decide_all(desk, book, planned) if planned is not None else None


def _decide_all(desk: Desk, book: Book, planned: Planned) -> datetime | None:
    for decision in decide_fires(planned, desk.now, desk.lookahead):
        match decision:
            case LookAgain(at=at):
                return at
            case OfferFire():
                _open_fire(desk, book, decision)
            case SkipFire(due=due, reason=reason):
                _end(desk, book, run_id(book.context, due), due, RunEnd.SKIPPED, reason, 0)
                book.considered = due
            case RecordStretch():
                _post_stretch(desk, book, decision)
                book.considered = decision.last
        desk.draft.touch(book.context)
        if desk.draft.is_full:
            return desk.now
    return None


def settle_fires(desk: Desk, book: Book) -> datetime | None:
    """Judge every open fire of a context; return when to look again."""
    times = [_settle(desk, book, run) for run in list(book.fires)]
    return min((time for time in times if time is not None), default=None)


def open_by_hand(desk: Desk, book: Book, request: RunRequest) -> None:
    """Offer a run that a person asked for: at once, whatever is suspended, but obeying overlap.

    The offer is made only if the run is unknown: a doubled request starts nothing.
    """
    if request.run in book.fires or request.run in book.recent:
        return
    due = due_of(request.run)
    refusal = _refusal(book)
    if refusal:
        book.remember(request.run, RECENT_RUNS)
        _end(desk, book, request.run, due, RunEnd.SKIPPED, refusal, 0)
        return
    fire = OpenFire(
        run=request.run,
        attempt=0,
        due=due,
        token=book.token,
        not_before=desk.now,
        deadline=desk.now + ONE_SHOT,
        offered=False,
        manual=True,
        asked_by=request.asked_by,
    )
    _offer(desk, book, fire)


def _refusal(book: Book) -> str:
    if book.definition is None:
        return f"the context is {book.gone.value}"
    if book.is_daemon:
        return "a daemon runs all the time: restart it instead"
    if book.policies.overlap is Overlap.FORBID and book.fires:
        return "another run of this context was still on"
    return ""


def stop_by_hand(book: Book, run: RunId, asked_by: str) -> None:
    """Note that a person asked for the end of a run."""
    tracked = book.fires.get(run)
    if tracked is not None and not tracked.fire.stop_asked:
        fire = msgspec.structs.replace(tracked.fire, stop_asked=asked_by or "somebody")
        book.fires[run] = replace(tracked, fire=fire)


def _open_fire(desk: Desk, book: Book, decision: OfferFire) -> None:
    fire = OpenFire(
        run=run_id(book.context, decision.due),
        attempt=0,
        due=decision.due,
        token=book.token,
        not_before=decision.not_before,
        deadline=decision.deadline,
        offered=False,
    )
    book.considered = decision.due
    _offer(desk, book, fire)


def _offer(desk: Desk, book: Book, fire: OpenFire) -> None:
    """Post the next attempt of a fire: offer and step in one transaction (rules O1, O3, O5)."""
    if book.definition is None:
        return
    book.token = FencingToken(book.token + 1)
    offered = msgspec.structs.replace(
        fire,
        attempt=fire.attempt + 1,
        token=book.token,
        offered=True,
        package=book.definition.package,
    )
    book.fires[fire.run] = Tracked(fire=offered)
    offer = Offer(
        run=offered.run,
        attempt=offered.attempt,
        context=book.context,
        epoch=desk.epoch,
        token=offered.token,
        due=offered.due,
        not_before=offered.not_before,
        deadline=offered.deadline,
        hosts=desk.roster.preference(offered.refused),
        plan=plan_of(book.definition),
    )
    desk.draft.touch(book.context)
    desk.draft.post(TopicName.OFFERS, offered.run, offer)
    desk.draft.post(TopicName.RUNS, offered.run, _offered_step(desk, offer, offered))


def _offered_step(desk: Desk, offer: Offer, fire: OpenFire) -> Offered:
    return Offered(
        run=offer.run,
        attempt=offer.attempt,
        context=offer.context,
        epoch=offer.epoch,
        token=offer.token,
        due=offer.due,
        not_before=offer.not_before,
        deadline=offer.deadline,
        at=desk.now,
        package=fire.package,
        asked_by=fire.asked_by,
    )


def _settle(desk: Desk, book: Book, run: str) -> datetime | None:
    for _ in range(MOST_JUDGEMENTS):
        tracked = book.fires[run]
        judgement = judge(tracked, book.standing(tracked, desk.lookahead), desk.now)
        if isinstance(judgement, Wait):
            return judgement.until
        desk.draft.touch(book.context)
        _carry_out(desk, book, tracked, judgement)
        if run not in book.fires:
            return None
    return desk.now + timedelta(seconds=1)


def _carry_out(desk: Desk, book: Book, tracked: Tracked, judgement: Judgement) -> None:
    fire = tracked.fire
    match judgement:
        case EndFire(end=end, reason=reason):
            del book.fires[fire.run]
            if fire.manual:
                book.remember(fire.run, RECENT_RUNS)
            _end(desk, book, fire.run, fire.due, end, reason, fire.attempt)
        case TryAgain(fire=again):
            book.fires[fire.run] = Tracked(fire=again)
        case OfferAttempt():
            _offer(desk, book, fire)
        case PostClaim(reason=reason):
            _post_claim(desk, book, tracked, reason)


def _post_claim(desk: Desk, book: Book, tracked: Tracked, reason: LeaderReason) -> None:
    fire = msgspec.structs.replace(tracked.fire, leader_claim=reason)
    book.fires[fire.run] = replace(tracked, fire=fire, claimed_at=desk.now)
    claim = LeaderClaim(
        run=fire.run,
        attempt=fire.attempt,
        epoch=desk.epoch,
        reason=reason,
        asked_by=fire.stop_asked,
    )
    desk.draft.post(TopicName.CLAIMS, fire.run, claim)


def _end(
    desk: Desk,
    book: Book,
    run: RunId,
    due: datetime,
    end: RunEnd,
    reason: str,
    attempts: int,
) -> None:
    ended = Ended(
        run=run,
        context=book.context,
        due=due,
        end=end,
        reason=reason,
        attempts=attempts,
        epoch=desk.epoch,
        at=desk.now,
    )
    desk.draft.touch(book.context)
    desk.draft.post(TopicName.RUNS, run, ended)


def _post_stretch(desk: Desk, book: Book, decision: RecordStretch) -> None:
    stretch = Stretch(
        context=book.context,
        end=decision.end,
        reason=decision.reason,
        first=decision.first,
        last=decision.last,
        count=decision.count,
        epoch=desk.epoch,
        at=desk.now,
    )
    desk.draft.post(TopicName.RUNS, run_id(book.context, decision.first), stretch)

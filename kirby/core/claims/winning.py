"""What follows from the first claim of an attempt (rules C4 and C5), and from the leader's (C6)."""

from dataclasses import replace

from kirby.core.claims.beginning import end
from kirby.core.claims.effects import AnyEffect, Arm, Bar, PostNotStarted, Stop
from kirby.core.claims.events import (
    Arming,
    ArmTold,
    AttemptDone,
    BarAnswered,
    ClaimRead,
    Event,
    NotStartedAcknowledged,
    NotStartedFailed,
)
from kirby.core.claims.holding import (
    FORGET_SECONDS,
    REPEAT_SECONDS,
    Barring,
    Claimed,
    Mine,
    Refusal,
    Reporting,
    Won,
    due_at,
)
from kirby.core.claims.state import Claims, Handler, ShimTie, Stepped
from kirby.core.claims.taking import want_of
from kirby.core.moment import Moment
from kirby.core.names import AttemptId, context_of
from kirby.core.nouns import NotStartedReason
from kirby.core.records import LeaderClaim, NotStarted, Phase

# A deadline is the last instant at which a run may begin, so it has passed only later than that.
JUST_AFTER = 0.001

_WHY = {
    "deadline": NotStartedReason.DEADLINE,
    "full": NotStartedReason.NO_ROOM,
    "no_room": NotStartedReason.NO_ROOM,
}
_LATE = Refusal(
    why=NotStartedReason.DEADLINE, sentence="its deadline passed before it could be started"
)


def _claim_read(claims: Claims, event: ClaimRead, now: Moment) -> Stepped:
    claim = event.claim
    attempt = AttemptId(run=claim.run, attempt=claim.attempt)
    if isinstance(claim, LeaderClaim):
        return _leader_claimed(_decide(claims, attempt, now), attempt, claim, now)
    if attempt in claims.decided:
        return claims, []  # a later claim: harmless
    ours = claim.host == claims.me.host and claim.incarnation == claims.incarnation
    mine = claims.holding.mine.get(attempt)
    claims = _decide(claims, attempt, now)
    if not ours:
        return claims, []
    if isinstance(mine, Claimed):
        return _won(claims, attempt, mine, now)
    return _refuse(claims, attempt, _LATE, now)  # so late that the offer was forgotten


def _decide(claims: Claims, attempt: AttemptId, now: Moment) -> Claims:
    """Remember that the attempt has its first claim; it is no longer open to anyone."""
    if attempt in claims.decided:
        return claims
    claims = claims.but(
        decided=claims.decided.put(attempt, now.boot), waiting=claims.waiting.drop(attempt)
    )
    if isinstance(claims.holding.mine.get(attempt), Claimed):
        claims = claims.but(holding=claims.holding.drop(attempt))
    return claims


def _won(claims: Claims, attempt: AttemptId, mine: Claimed, now: Moment) -> Stepped:
    claims = claims.but(pulse=claims.pulse.meanwhile(won=attempt))
    if claims.broker_time(now) > mine.offer.deadline:
        return _refuse(claims, attempt, _LATE, now)
    if not claims.readiness.is_ready(mine.offer.plan.package):
        return _refuse(claims, attempt, _not_installed(claims, mine.offer.plan.package), now)
    won = Won(
        offer=mine.offer,
        claimed_at=mine.claimed_at,
        repeat=now.boot,
        until=now.boot_of(mine.offer.deadline, claims.offset.seconds) + JUST_AFTER,
    )
    claims = claims.but(holding=claims.holding.put(attempt, won))
    return _arm(claims, attempt, won, now)


def _not_installed(claims: Claims, package: str) -> Refusal:
    if claims.readiness.has_failed(package):
        sentence = claims.readiness.reason(package)
        return Refusal(why=NotStartedReason.INSTALLATION, sentence=sentence)
    sentence = f"the environment of {package} was removed from this host"
    return Refusal(why=NotStartedReason.REFUSED, sentence=sentence)


def _arm(claims: Claims, attempt: AttemptId, won: Won, now: Moment) -> Stepped:
    claims = _with(claims, attempt, replace(won, repeat=now.boot + REPEAT_SECONDS))
    arm = Arm(
        offer=won.offer,
        clock_offset_seconds=claims.offset.seconds,
        claimed_at=won.claimed_at,
    )
    return claims, [arm]


def _refuse(claims: Claims, attempt: AttemptId, refusal: Refusal, now: Moment) -> Stepped:
    """Have the shim bar it; only when it has, the attempt is reported as not started (C5)."""
    claims = _with(claims, attempt, Barring(refusal=refusal, repeat=now.boot + REPEAT_SECONDS))
    return claims, [Bar(attempt=attempt, sentence=refusal.sentence)]


def _with(claims: Claims, attempt: AttemptId, mine: Mine) -> Claims:
    return claims.but(holding=claims.holding.put(attempt, mine))


def _leader_claimed(claims: Claims, attempt: AttemptId, claim: LeaderClaim, now: Moment) -> Stepped:
    """Refuse what is here, or stop it; hours after its first claim only the shim knows of it."""
    mine = claims.holding.mine.get(attempt)
    held_here = isinstance(mine, Won | Barring) or attempt in claims.holding.live
    if not held_here or isinstance(mine, Reporting):
        return claims, []
    by = f" by {claim.asked_by}" if claim.asked_by else ""
    refusal = Refusal(
        why=NotStartedReason.WITHDRAWN,
        sentence=f"{claim.reason.value}{by}",
        leader=claim.reason,
    )
    return _refuse(claims, attempt, refusal, now)


def _arm_told(claims: Claims, event: ArmTold, now: Moment) -> Stepped:
    won = claims.holding.mine.get(event.attempt)
    if event.outcome is Arming.REFUSED and event.code == "superseded":
        return end(claims)
    if not isinstance(won, Won) or event.outcome is Arming.NO_ANSWER:
        return claims, []
    if event.outcome is Arming.HELD:
        return _in_shim(claims, event.attempt, event.phase), []
    if event.code == "not_found":
        claims = claims.but(readiness=claims.readiness.missing(want_of(won.offer, now)))
    why = _WHY.get(event.code, NotStartedReason.REFUSED)
    return _refuse(claims, event.attempt, Refusal(why=why, sentence=event.sentence), now)


def _in_shim(claims: Claims, attempt: AttemptId, phase: Phase) -> Claims:
    return claims.but(
        holding=claims.holding.in_shim(attempt, phase),
        pulse=claims.pulse.meanwhile(taken=attempt),
    )


def _bar_answered(claims: Claims, event: BarAnswered, now: Moment) -> Stepped:
    mine = claims.holding.mine.get(event.attempt)
    if not isinstance(mine, Barring):
        return claims, []
    if event.phase is None:
        return _report(_done(claims, event.attempt), event.attempt, mine.refusal, now)
    leader = mine.refusal.leader
    claims = _in_shim(claims, event.attempt, event.phase)
    if leader is not None and leader.stops and event.phase in (Phase.RELEASING, Phase.RUNNING):
        stop = Stop(attempt=event.attempt, reason=leader, sentence=mine.refusal.sentence)
        return claims, [stop]
    return claims, []


def _report(claims: Claims, attempt: AttemptId, refusal: Refusal, now: Moment) -> Stepped:
    assert claims.incarnation is not None  # nothing is barred before
    report = NotStarted(
        run=attempt.run,
        attempt=attempt.attempt,
        context=context_of(attempt.run),
        host=claims.me.host,
        incarnation=claims.incarnation,
        at=claims.broker_time(now),
        why=refusal.why,
        reason=refusal.sentence,
        leader_reason=refusal.leader,
    )
    return _with(claims, attempt, Reporting(report=report)), [PostNotStarted(report=report)]


def _not_started_acknowledged(
    claims: Claims, event: NotStartedAcknowledged, _now: Moment
) -> Stepped:
    if not isinstance(claims.holding.mine.get(event.attempt), Reporting):
        return claims, []
    return claims.but(holding=claims.holding.drop(event.attempt)), []


def _not_started_failed(claims: Claims, event: NotStartedFailed, now: Moment) -> Stepped:
    mine = claims.holding.mine.get(event.attempt)
    if not isinstance(mine, Reporting):
        return claims, []
    return _with(claims, event.attempt, replace(mine, repeat=now.boot + REPEAT_SECONDS)), []


def _attempt_done(claims: Claims, event: AttemptDone, _now: Moment) -> Stepped:
    """The shim told its end, so it had it, whether or not its answer to the arm has come."""
    if isinstance(claims.holding.mine.get(event.attempt), Won):
        claims = claims.but(holding=claims.holding.drop(event.attempt))
    return _done(claims, event.attempt), []


def _done(claims: Claims, attempt: AttemptId) -> Claims:
    return claims.but(
        holding=claims.holding.done(attempt), pulse=claims.pulse.meanwhile(done=attempt)
    )


def repeat(claims: Claims, now: Moment) -> Stepped:
    """Repeat what was not answered, and let go of claims that nobody answered for."""
    if now.boot < claims.holding.look:
        return claims, []
    effects: list[AnyEffect] = []
    for attempt, mine in claims.holding.mine.items():
        if due_at(mine) <= now.boot:
            claims, more = _repeat_one(claims, attempt, mine, now)
            effects.extend(more)
    return claims.but(holding=claims.holding.looked()), effects


def _repeat_one(claims: Claims, attempt: AttemptId, mine: Mine, now: Moment) -> Stepped:
    match mine:
        case Claimed():
            return _age(claims, attempt, mine, now), []
        case Won() if mine.until <= now.boot:
            return _refuse(claims, attempt, _LATE, now)
        case Won():
            return _arm(claims, attempt, mine, now)
        case Barring() if claims.shim is ShimTie.GREETED:
            return _refuse(claims, attempt, mine.refusal, now)
        case Barring():
            again = replace(mine, repeat=now.boot + REPEAT_SECONDS)
            return _with(claims, attempt, again), []
        case Reporting():
            claims = _with(claims, attempt, replace(mine, repeat=None))
            return claims, [PostNotStarted(report=mine.report)]


def _age(claims: Claims, attempt: AttemptId, mine: Claimed, now: Moment) -> Claims:
    if mine.posted + FORGET_SECONDS <= now.boot:
        return claims.but(holding=claims.holding.drop(attempt))
    return _with(claims, attempt, replace(mine, holds_slot=False))


HANDLERS: dict[type[Event], Handler] = {
    ClaimRead: _claim_read,
    ArmTold: _arm_told,
    BarAnswered: _bar_answered,
    NotStartedAcknowledged: _not_started_acknowledged,
    NotStartedFailed: _not_started_failed,
    AttemptDone: _attempt_done,
}

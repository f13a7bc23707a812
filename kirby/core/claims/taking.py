"""Which offers a Runner claims, and when (rules C2 and C3)."""

from dataclasses import replace

from kirby.core.claims.effects import AnyEffect, PostClaim
from kirby.core.claims.events import (
    ClaimAcknowledged,
    ClaimFailed,
    EnvironmentState,
    EnvironmentTold,
    Event,
    HostHeard,
    OfferRead,
    ScheduleRead,
)
from kirby.core.claims.holding import Claimed
from kirby.core.claims.queued import attempt_in
from kirby.core.claims.readiness import Want
from kirby.core.claims.state import Claims, Handler, Stepped
from kirby.core.claims.waiting import STEP_SECONDS, Wait, attempt_of, place_of
from kirby.core.moment import Moment
from kirby.core.records import Claim, Offer

FAILED_BUILD_SECONDS = 5.0  # before the deadline: time for the claim, the bar and the report
CLAIM_AGAIN_SECONDS = 1.0


def _offer_read(claims: Claims, event: OfferRead, now: Moment) -> Stepped:
    attempt = attempt_of(event.offer)
    known = attempt in claims.decided or attempt in claims.waiting.waits
    if known or attempt in claims.holding.mine or claims.broker_time(now) > event.offer.deadline:
        return claims, []
    place = place_of(event.offer, claims.me.host)
    return _wait(
        claims, Wait(offer=event.offer, place=place, turn=now.boot + STEP_SECONDS * place), now
    )


def _wait(claims: Claims, wait: Wait, now: Moment) -> Stepped:
    ready = claims.readiness.is_ready(wait.offer.plan.package)
    claims = claims.but(waiting=claims.waiting.add(wait, ready=ready))
    return (claims if ready else _wanting(claims, wait.offer, now)), []


def _wanting(claims: Claims, offer: Offer, now: Moment) -> Claims:
    return claims.but(readiness=claims.readiness.want(want_of(offer, now)))


def want_of(offer: Offer, now: Moment) -> Want:
    """Return the environment that an offer needs."""
    plan = offer.plan
    return Want(
        context=offer.context,
        package=plan.package,
        source_builds=plan.source_builds,
        revision=plan.revision,
        ask=now.boot,
    )


def _claim_acknowledged(claims: Claims, event: ClaimAcknowledged, _now: Moment) -> Stepped:
    mine = claims.holding.mine.get(event.attempt)
    if not isinstance(mine, Claimed):
        return claims, []
    return claims.but(
        holding=claims.holding.put(event.attempt, replace(mine, acknowledged=True))
    ), []


def _claim_failed(claims: Claims, event: ClaimFailed, now: Moment) -> Stepped:
    """Give the slot back and try again; should the claim stand in the log after all, it counts."""
    mine = claims.holding.mine.get(event.attempt)
    if not isinstance(mine, Claimed):
        return claims, []
    holding = claims.holding.put(event.attempt, replace(mine, holds_slot=False))
    again = now.boot + CLAIM_AGAIN_SECONDS
    wait = Wait(offer=mine.offer, place=place_of(mine.offer, claims.me.host), turn=again)
    return _wait(claims.but(holding=holding, waiting=claims.waiting.drop(event.attempt)), wait, now)


def _environment_told(claims: Claims, event: EnvironmentTold, now: Moment) -> Stepped:
    readiness = claims.readiness.told(event.package, event.state, event.reason, now.boot)
    claims = claims.but(readiness=readiness)
    if event.state is EnvironmentState.READY:
        claims = claims.but(waiting=claims.waiting.environment_ready(event.package))
    return claims, []


def _schedule_read(claims: Claims, event: ScheduleRead, now: Moment) -> Stepped:
    readiness = claims.readiness.scheduled(
        claims.me.host, event.context, event.definition, now.boot
    )
    return claims.but(readiness=readiness), []


def _host_heard(claims: Claims, event: HostHeard, now: Moment) -> Stepped:
    if event.heartbeat.host == claims.me.host:
        return claims, []
    return claims.but(peers=claims.peers.heard(event.heartbeat, now.boot)), []


def take(claims: Claims, now: Moment) -> Stepped:
    """Claim what falls to this host now."""
    waiting = claims.waiting.expire(claims.broker_time(now).timestamp()).ripen(now.boot)
    if waiting is not claims.waiting:
        claims = claims.but(waiting=waiting)
    if not claims.may_claim(now.boot):
        return claims, []
    claims, effects = _take_into_slots(claims, now)
    return _take_to_refuse(claims, now, effects)


def _take_into_slots(claims: Claims, now: Moment) -> Stepped:
    effects: list[AnyEffect] = []
    while claims.waiting.backlog and claims.holding.free > 0:
        wait = claims.waiting.earliest(claims.holding.free_since, now.boot)
        if wait is None:
            break
        if claims.readiness.is_ready(wait.offer.plan.package):
            claims, effect = _claim(claims, wait.offer, now, holds_slot=True)
            effects.append(effect)
        else:
            claims = claims.but(waiting=claims.waiting.await_environment(wait))
            claims = _wanting(claims, wait.offer, now)
    return claims, effects


def _take_to_refuse(claims: Claims, now: Moment, effects: list[AnyEffect]) -> Stepped:
    """Claim what nobody can run, so that it ends with the reason (the last sentence of C2)."""
    broker_seconds = claims.broker_time(now).timestamp()
    for package, queue in claims.waiting.lacking.items():
        if not claims.readiness.has_failed(package):
            continue
        nobody = claims.peers.all_failed(package, now.boot)
        for entry in queue:
            if not nobody and broker_seconds < entry[0] - FAILED_BUILD_SECONDS:
                break
            wait = claims.waiting.waits.get(attempt_in(entry))
            assert wait is not None  # both are changed together
            claims, effect = _claim(claims, wait.offer, now, holds_slot=False)
            effects.append(effect)
    return claims, effects


def _claim(
    claims: Claims, offer: Offer, now: Moment, *, holds_slot: bool
) -> tuple[Claims, AnyEffect]:
    assert claims.incarnation is not None  # rule C1
    attempt = attempt_of(offer)
    claimed = Claimed(
        offer=offer,
        posted=now.boot,
        claimed_at=claims.broker_time(now),
        holds_slot=holds_slot,
    )
    claim = Claim(
        run=offer.run,
        attempt=offer.attempt,
        host=claims.me.host,
        incarnation=claims.incarnation,
        state_folder=claims.me.state_folder,
    )
    claims = claims.but(
        waiting=claims.waiting.drop(attempt), holding=claims.holding.put(attempt, claimed)
    )
    return claims, PostClaim(claim=claim)


HANDLERS: dict[type[Event], Handler] = {
    OfferRead: _offer_read,
    ClaimAcknowledged: _claim_acknowledged,
    ClaimFailed: _claim_failed,
    EnvironmentTold: _environment_told,
    ScheduleRead: _schedule_read,
    HostHeard: _host_heard,
}

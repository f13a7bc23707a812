"""When a Runner has something to do next, if nothing is told to it before."""

from collections.abc import Iterator

from kirby.core.claims.pulse import ANSWER_SECONDS, GIVE_UP_SECONDS
from kirby.core.claims.state import Claims, ShimTie
from kirby.core.claims.taking import FAILED_BUILD_SECONDS
from kirby.core.claims.waiting import STEP_SECONDS
from kirby.core.moment import Moment

# A deadline counts as passed only later than itself, and turning clocks into each other rounds.
JUST_AFTER = 0.001


def next_wake(claims: Claims, now: Moment) -> float | None:
    """Return the BOOTTIME at which `Ticked` has work to do; None: nothing is awaited."""
    return None if claims.ended else min(_wakes(claims, now), default=None)


def _wakes(claims: Claims, now: Moment) -> Iterator[float]:
    if claims.ticket_again is not None:
        yield claims.ticket_again
    yield from (want.ask for want in claims.readiness.wants.values())
    yield from _heartbeat_wakes(claims)
    if claims.holding.mine:
        yield claims.holding.look
    yield from _waiting_wakes(claims, now)


def _heartbeat_wakes(claims: Claims) -> Iterator[float]:
    pulse = claims.pulse
    if claims.incarnation is None or claims.shim is not ShimTie.GREETED:
        return
    if pulse.question is not None:
        yield max(pulse.due, pulse.question.asked + ANSWER_SECONDS)
    elif pulse.posted is not None:
        yield max(pulse.due, pulse.posted.sent_boot + GIVE_UP_SECONDS)
    else:
        yield pulse.due


def _waiting_wakes(claims: Claims, now: Moment) -> Iterator[float]:
    waiting, offset = claims.waiting, claims.offset.seconds
    to_boot = now.boot - now.by_broker(offset).timestamp()
    if waiting.expiring:
        yield waiting.expiring.first[0] + to_boot + JUST_AFTER
    if waiting.soon:
        yield waiting.soon.first[0]
    if not claims.may_claim(now.boot):
        return
    if claims.holding.free > 0:
        yield from (claims.holding.free_since + STEP_SECONDS * p for p in waiting.places())
    for package, queue in waiting.lacking.items():
        if queue and claims.readiness.has_failed(package):
            yield queue.first[0] + to_boot - FAILED_BUILD_SECONDS + JUST_AFTER

"""Which attempts this host claims, arms, refuses and answers for (rules C1 to C6, S1, L1, L5, L6).

One Runner's whole mind: `step` takes an event and the moment, and returns the next state and what
is to be done. Nothing here reads a clock, a file or a topic. After each event everything that time
or the event made due is done as well: claims, repeats, questions for environments, heartbeats.
"""

from dataclasses import replace

from kirby.core.claims import beating as claims_beating
from kirby.core.claims import beginning as claims_beginning
from kirby.core.claims import taking as claims_taking
from kirby.core.claims import winning as claims_winning
from kirby.core.claims.effects import AnyEffect, BuildAhead, PostTicket
from kirby.core.claims.events import AnyEvent, Event, Ticked
from kirby.core.claims.state import Claims, Handler, Identity, ShimTie, Stepped, first_state
from kirby.core.claims.timing import next_wake
from kirby.core.moment import Moment

__all__ = ["Claims", "Identity", "ShimTie", "first_state", "next_wake", "step"]

_HANDLERS: dict[type[Event], Handler] = {
    Ticked: lambda claims, _event, _now: (claims, []),
    **claims_beginning.HANDLERS,
    **claims_taking.HANDLERS,
    **claims_winning.HANDLERS,
    **claims_beating.HANDLERS,
}
_DUE = (claims_winning.repeat, claims_taking.take, claims_beating.beat)


def step(claims: Claims, event: AnyEvent, now: Moment) -> Stepped:
    """Take one event; return the next state, and what is to be done, in order.

    Raises:
        KeyError: an event that has no row in the table (a bug).
    """
    if claims.ended:
        return claims, []
    after, effects = _HANDLERS[type(event)](claims, event, now)
    after = _note_freed_slot(claims, after, now)
    for due in (_repeat_ticket, _ask_for_builds, *_DUE):
        if after.ended:
            return after, effects
        after, more = due(after, now)
        after = _note_freed_slot(claims, after, now)
        effects.extend(more)
    return _note_news(claims, after, now), effects


def _repeat_ticket(claims: Claims, now: Moment) -> Stepped:
    if claims.ticket_again is None or claims.ticket_again > now.boot:
        return claims, []
    ticket = claims_beginning.ticket_of(claims)
    return claims.but(ticket_again=None), [PostTicket(ticket=ticket)]


def _ask_for_builds(claims: Claims, now: Moment) -> Stepped:
    readiness, asked = claims.readiness.due(now.boot, claims.waiting.lacking)
    if readiness is claims.readiness:
        return claims, []
    effects: list[AnyEffect] = [
        BuildAhead(
            context=want.context,
            package=want.package,
            source_builds=want.source_builds,
            revision=want.revision,
        )
        for want in asked
    ]
    return claims.but(readiness=readiness), effects


def _note_freed_slot(before: Claims, after: Claims, now: Moment) -> Claims:
    """A freed slot takes others' offers only some time after it came free (rule C3)."""
    if before.holding is after.holding or before.holding.free > 0 or after.holding.free <= 0:
        return after
    if after.holding.free_since == now.boot:
        return after
    return after.but(holding=replace(after.holding, free_since=now.boot))


def _note_news(before: Claims, after: Claims, now: Moment) -> Claims:
    """What others plan by is told sooner than the next heartbeat is due."""
    slots = before.holding is not after.holding and before.holding.free != after.holding.free
    wants = before.readiness.wants is not after.readiness.wants
    builds = wants and before.readiness.builds() != after.readiness.builds()
    return after.but(pulse=after.pulse.hurry(now.boot)) if slots or builds else after

"""How a Runner begins: ticket, hello, reading up (rules C1 and L5)."""

from datetime import timedelta

from kirby.core.claims.effects import (
    EndNow,
    PostTicket,
    ReadTopics,
    SayHello,
    TellIncarnation,
)
from kirby.core.claims.events import (
    Began,
    DrainRead,
    Event,
    HelloAnswered,
    ShimLost,
    ShimReached,
    Superseded,
    TicketAcknowledged,
    TicketFailed,
    TopicsReadUp,
)
from kirby.core.claims.state import Claims, Handler, ShimTie, Stepped
from kirby.core.moment import Moment
from kirby.core.records import Ticket

LONGEST_WINDOW = timedelta(hours=1)  # no deadline is later than that after its due instant
LARGEST_LOOK_AHEAD = timedelta(minutes=2)  # 20 ms for each of 6,000 interpreters of one burst
CLAIMS_EARLIER = timedelta(minutes=10)  # a claim is never read without those before it
TICKET_AGAIN_SECONDS = 1.0


def _began(claims: Claims, _event: Began, _now: Moment) -> Stepped:
    return claims.but(ticket_again=None), [PostTicket(ticket=ticket_of(claims))]


def ticket_of(claims: Claims) -> Ticket:
    """Return the record that begins this Runner's incarnation."""
    return Ticket(host=claims.me.host, state_folder=claims.me.state_folder)


def _ticket_acknowledged(claims: Claims, event: TicketAcknowledged, _now: Moment) -> Stepped:
    offers_since = event.appended - LONGEST_WINDOW - LARGEST_LOOK_AHEAD
    reading = ReadTopics(offers_since=offers_since, claims_since=offers_since - CLAIMS_EARLIER)
    claims = claims.but(incarnation=event.incarnation)
    if claims.shim is ShimTie.REACHED:
        return claims, [reading, SayHello(incarnation=event.incarnation)]
    return claims, [reading]


def _ticket_failed(claims: Claims, _event: TicketFailed, now: Moment) -> Stepped:
    return claims.but(ticket_again=now.boot + TICKET_AGAIN_SECONDS), []


def _topics_read_up(claims: Claims, _event: TopicsReadUp, _now: Moment) -> Stepped:
    return claims.but(read_up=True), []


def _shim_reached(claims: Claims, _event: ShimReached, _now: Moment) -> Stepped:
    claims = _without_question(claims.but(shim=ShimTie.REACHED))
    if claims.incarnation is None:
        return claims, []
    return claims, [SayHello(incarnation=claims.incarnation)]


def _shim_lost(claims: Claims, _event: ShimLost, _now: Moment) -> Stepped:
    return _without_question(claims.but(shim=ShimTie.AWAY)), []


def _without_question(claims: Claims) -> Claims:
    """A list that was asked of the shim before is no answer of this one."""
    return claims.but(pulse=claims.pulse.forget_question())


def _hello_answered(claims: Claims, _event: HelloAnswered, now: Moment) -> Stepped:
    incarnation = claims.incarnation
    assert incarnation is not None  # it was said in the hello
    claims = claims.but(shim=ShimTie.GREETED, pulse=claims.pulse.hurry(now.boot))
    return claims, [TellIncarnation(incarnation=incarnation)]


def _superseded(claims: Claims, _event: Superseded, _now: Moment) -> Stepped:
    return end(claims)


def end(claims: Claims) -> Stepped:
    """End this Runner: a newer incarnation has said hello to the shim."""
    sentence = "the shim knows a newer incarnation of this host's Runner"
    return claims.but(ended=True), [EndNow(sentence=sentence)]


def _drain_read(claims: Claims, event: DrainRead, now: Moment) -> Stepped:
    if event.host != claims.me.host or event.draining == claims.draining:
        return claims, []
    return claims.but(draining=event.draining, pulse=claims.pulse.hurry(now.boot)), []


HANDLERS: dict[type[Event], Handler] = {
    Began: _began,
    TicketAcknowledged: _ticket_acknowledged,
    TicketFailed: _ticket_failed,
    TopicsReadUp: _topics_read_up,
    ShimReached: _shim_reached,
    ShimLost: _shim_lost,
    HelloAnswered: _hello_answered,
    Superseded: _superseded,
    DrainRead: _drain_read,
}

"""Heartbeats of a Runner, and what their acknowledgement is good for (rules L1, L6, S1)."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from kirby.core.claims.effects import AskList, PostHeartbeat, RenewLease, TellIncarnation
from kirby.core.claims.events import (
    DaemonsStood,
    Event,
    HeartbeatAcknowledged,
    HeartbeatFailed,
    InstancesTold,
    InstanceTold,
    ShimListed,
)
from kirby.core.claims.lease import lease_ends
from kirby.core.claims.pulse import HURRY_SECONDS, Posted, Question, held_of
from kirby.core.claims.state import Claims, Handler, ShimTie, Stepped
from kirby.core.moment import Moment
from kirby.core.names import ContextKey
from kirby.core.records import Heartbeat, Held, Instance

MILLISECONDS = 1000.0


def beat(claims: Claims, now: Moment) -> Stepped:
    """Ask the shim for its list when a heartbeat is due."""
    known = claims.incarnation is not None and claims.shim is ShimTie.GREETED
    if not known or not claims.pulse.is_due(now.boot):
        return claims, []
    pulse = claims.pulse.asks(now.boot, claims.holding.answered_for)
    return claims.but(pulse=pulse), [AskList(number=pulse.number)]


def _shim_listed(claims: Claims, event: ShimListed, now: Moment) -> Stepped:
    question = claims.pulse.question
    if question is None or question.number != event.number:
        return claims, []  # an older shim's, or an older question's
    claims = claims.but(holding=claims.holding.listed(event.held, question.taken, question.done))
    heartbeat = _heartbeat(claims, event.held, question, now)
    posted = Posted(number=event.number, sent=now.wall, sent_boot=now.boot)
    pulse = replace(
        claims.pulse,
        question=None,
        posted=posted,
        last=now.boot,
        due=max(claims.pulse.due, now.boot + HURRY_SECONDS),
    )
    return claims.but(pulse=pulse), [PostHeartbeat(number=event.number, heartbeat=heartbeat)]


def _heartbeat(
    claims: Claims, listed: tuple[Held, ...], question: Question, now: Moment
) -> Heartbeat:
    me = claims.me
    assert claims.incarnation is not None  # it said hello
    return Heartbeat(
        host=me.host,
        incarnation=claims.incarnation,
        state_folder=me.state_folder,
        sent=now.wall,
        started=me.started,
        version=me.version,
        address=me.address,
        slots=me.slots,
        free_slots=max(0, claims.holding.free),
        held=held_of(listed, question.won),
        builds=claims.readiness.builds(),
        instances=tuple(claims.pulse.instances.values()),
        clock_offset_ms=claims.offset.seconds * MILLISECONDS,
        draining=claims.draining,
        daemons_read=claims.pulse.daemons_read,
        daemons_here=claims.pulse.daemons_here,
    )


def _heartbeat_acknowledged(claims: Claims, event: HeartbeatAcknowledged, now: Moment) -> Stepped:
    posted = claims.pulse.posted
    if posted is None or posted.number != event.number:
        return claims, []
    acknowledged = now.wall - timedelta(seconds=now.boot - event.acknowledged_boot)
    offset = claims.offset.sample(
        sent=posted.sent, appended=event.appended, acknowledged=acknowledged
    )
    pulse = replace(claims.pulse, posted=None, acknowledged=True)
    assert claims.incarnation is not None  # a heartbeat bears it
    renewal = RenewLease(ends_boot=lease_ends(posted.sent_boot))
    again = TellIncarnation(incarnation=claims.incarnation)  # should the first word be lost
    return claims.but(offset=offset, pulse=pulse), [renewal, again]


def _heartbeat_failed(claims: Claims, event: HeartbeatFailed, now: Moment) -> Stepped:
    posted = claims.pulse.posted
    if posted is None or posted.number != event.number:
        return claims, []
    return claims.but(pulse=replace(claims.pulse, posted=None).hurry(now.boot)), []


def _instance_told(claims: Claims, event: InstanceTold, now: Moment) -> Stepped:
    context = event.instance.context
    instances = {
        other: instance for other, instance in claims.pulse.instances.items() if other != context
    }
    if not event.gone:
        instances[context] = event.instance
    return _with_instances(claims, instances, now)


def _instances_told(claims: Claims, event: InstancesTold, now: Moment) -> Stepped:
    instances = {instance.context: instance for instance in event.instances}
    return _with_instances(claims, instances, now)


def _with_instances(
    claims: Claims, instances: Mapping[ContextKey, Instance], now: Moment
) -> Stepped:
    if instances == claims.pulse.instances:
        return claims, []
    return claims.but(pulse=replace(claims.pulse, instances=instances).hurry(now.boot)), []


def _daemons_stood(claims: Claims, event: DaemonsStood, now: Moment) -> Stepped:
    pulse = replace(claims.pulse, daemons_read=event.read, daemons_here=event.here)
    if pulse == claims.pulse:
        return claims, []
    return claims.but(pulse=pulse.hurry(now.boot)), []


HANDLERS: dict[type[Event], Handler] = {
    ShimListed: _shim_listed,
    HeartbeatAcknowledged: _heartbeat_acknowledged,
    HeartbeatFailed: _heartbeat_failed,
    InstanceTold: _instance_told,
    DaemonsStood: _daemons_stood,
    InstancesTold: _instances_told,
}

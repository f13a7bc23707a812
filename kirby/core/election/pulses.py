"""Pulses between Supervisors: two a second, at most one unanswered, and old ones dropped.

An unreachable peer fills an actor's queue and then nothing leaves it, to anyone; and what was
queued arrives in a burst on healing. Hence one unanswered pulse, and a bound on each one's age.
"""

from msgspec.structs import replace

from kirby.core.election.state import (
    PULSE_DEADLINE_S,
    PULSE_EVERY_S,
    Effect,
    Election,
    Peer,
    Pulse,
    SendPulse,
    Stance,
)
from kirby.core.election.view import is_eligible, stands_back
from kirby.core.names import Host


def accept(election: Election, pulse: Pulse, now: float) -> Election:
    """Take in a pulse: its word counts only if it is the newest, and surely not old."""
    peer = election.peers.get(pulse.host, Peer())
    order = (pulse.life, pulse.sent)
    if order <= peer.last:
        return election
    peer = replace(peer, last=order, had=now)
    if pulse.echo_life == election.life and pulse.echo is not None:
        if peer.asked is not None and pulse.echo >= peer.asked:
            peer = replace(peer, answered=True)
        if now - pulse.echo - pulse.held <= PULSE_DEADLINE_S:
            since = peer.leading_since if peer.leading_since is not None else now
            leads = pulse.stance is Stance.LEADING
            peer = replace(peer, pulse=pulse, heard=now, leading_since=since if leads else None)
            election = replace(election, term=max(election.term, pulse.term))
    return election.with_peer(pulse.host, peer)


def answer(election: Election, pulse: Pulse, now: float) -> list[Effect]:
    """Answer a pulse that asks, old or not: the answer's own echo tells its age."""
    asked = pulse.asks and pulse.host != election.me
    return [_to(election, pulse.host, now, asks=False)] if asked else []


def announce(election: Election, now: float) -> list[Effect]:
    """Tell a change of stance at once, to peers that owe no answer."""
    return [
        _to(election, host, now, asks=False)
        for host, peer in election.peers.items()
        if peer.answered
    ]


def due_pulses(election: Election, now: float) -> tuple[Election, list[Effect]]:
    """Send what is due: each half second, or when an unanswered one's deadline has passed."""
    effects: list[Effect] = []
    for host, peer in election.peers.items():
        wait = PULSE_EVERY_S if peer.answered else PULSE_DEADLINE_S
        if peer.asked is None or now - peer.asked >= wait:
            effects.append(_to(election, host, now, asks=True))
            election = election.with_peer(host, replace(peer, asked=now, answered=False))
    return election, effects


def _to(election: Election, host: Host, now: float, *, asks: bool) -> SendPulse:
    peer = election.peers[host]
    life, sent = peer.last
    had = life >= 0
    pulse = Pulse(
        host=election.me,
        life=election.life,
        term=election.term,
        priority=election.priority,
        stance=election.stance,
        eligible=is_eligible(election, now),
        stands_back=stands_back(election, now),
        epoch=election.scheduler.epoch,
        sent=now,
        asks=asks,
        echo=sent if had else None,
        echo_life=life if had else None,
        held=now - peer.had if had else 0.0,
    )
    return SendPulse(to=host, pulse=pulse)

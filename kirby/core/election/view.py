"""Who lives, who may stand, who leads: what one Supervisor makes of what it knows."""

from collections.abc import Iterator

from kirby.core.election.state import (
    BEATLESS_S,
    CLOCK_WITHIN_S,
    COMMITTED_WITHIN_S,
    CONFIRMED_WITHIN_S,
    SILENCE_S,
    Election,
    Peer,
    Pulse,
    Stance,
)
from kirby.core.names import Host

Rank = tuple[int, Host]


def rank_of(pulse: Pulse) -> Rank:
    """Return a peer's rank."""
    return pulse.priority, pulse.host


def living(election: Election, now: float) -> Iterator[tuple[Peer, Pulse]]:
    """Yield the peers that were heard within the last second."""
    for peer in election.peers.values():
        if peer.pulse is not None and peer.heard is not None and now - peer.heard <= SILENCE_S:
            yield peer, peer.pulse


def knows_the_living(election: Election, now: float) -> bool:
    """Whether every peer that lives has had the time to say so."""
    return not election.peers or now - election.listening_since > SILENCE_S


def is_eligible(election: Election, now: float) -> bool:
    """Whether the own Scheduler has Kafka (the leader: commits), and no clock known to be wrong.

    In a new cluster nothing was written yet from which a clock could be known; a leader whose
    clock is wrong learns of it from its first beat, and stands down.
    """
    own = election.scheduler
    leads = election.stance is Stance.LEADING
    within = COMMITTED_WITHIN_S if leads else CONFIRMED_WITHIN_S
    confirmed = own.confirmed is not None and now - own.confirmed <= within
    return confirmed and abs(own.clock_offset_s or 0.0) <= CLOCK_WITHIN_S


def stands_back(election: Election, now: float) -> bool:
    """Whether it failed of late; counts only while another could stand instead."""
    return election.stands_back_until is not None and now < election.stands_back_until


def leader(election: Election, now: float) -> Pulse | None:
    """Return the peer that leads, as far as peers and the own Scheduler's reading tell."""
    claims = [
        pulse
        for peer, pulse in living(election, now)
        if pulse.stance is Stance.LEADING and not _is_frozen(election, peer, now)
    ]
    return max(claims, key=lambda pulse: (pulse.epoch or 0, pulse.term), default=None)


def _is_frozen(election: Election, peer: Peer, now: float) -> bool:
    """Whether a peer says that it leads, and has written no beat in all that time."""
    silent = election.scheduler.silent_s
    since = peer.leading_since
    if silent is None or since is None or not is_eligible(election, now):
        return False
    return silent >= BEATLESS_S and now - since >= BEATLESS_S


def peers_of(election: Election, now: float) -> dict[str, dict[str, object]]:
    """Return what each peer last said, as plain JSON values."""
    return {
        host: {
            "heard_seconds_ago": round(now - peer.heard, 1) if peer.heard is not None else None,
            "stance": peer.pulse.stance.value if peer.pulse else None,
            "eligible": peer.pulse.eligible if peer.pulse else None,
            "life": peer.pulse.life if peer.pulse else None,
        }
        for host, peer in sorted(election.peers.items())
    }


def rivals(election: Election, now: float) -> list[Pulse]:
    """Return the living, eligible peers that stand for the lead."""
    return [
        pulse
        for _, pulse in living(election, now)
        if pulse.stance is Stance.STANDING and pulse.eligible
    ]


def is_first(election: Election, now: float) -> bool:
    """Whether this Supervisor has the highest rank of those that may stand."""
    if not is_eligible(election, now):
        return False
    others = [
        pulse
        for peer, pulse in living(election, now)
        if pulse.eligible and not _is_frozen(election, peer, now)
    ]
    willing = [pulse for pulse in others if not pulse.stands_back]
    if stands_back(election, now) and willing:
        return False
    # Where all that could stand stand back, none of them counts as standing back.
    against = willing if willing or not stands_back(election, now) else others
    return all(election.rank() > rank_of(pulse) for pulse in against)

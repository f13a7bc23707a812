"""What people are told of a daemon's roll-out, from its offer alone."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from kirby.core.leader.editions import main_edition, name_of, shown
from kirby.core.records import DaemonOffer, RollOut, Watch


class RollOutState(Enum):
    """How a daemon's editions stand."""

    STANDING = "standing"
    ROLLING = "rolling out"
    REFUSED = "went back"


@dataclass(frozen=True, kw_only=True)
class Told:
    """How they stand, in one sentence (empty: there is nothing to be said), and since when."""

    state: RollOutState
    sentence: str = ""
    at: datetime | None = None


def told_of(offer: DaemonOffer) -> Told:
    """Say how a daemon's editions stand."""
    if offer.roll_out is not None:
        sentence = f"{_beginning(offer, offer.roll_out)}: {_progress(offer, offer.roll_out)}"
        return Told(state=RollOutState.ROLLING, sentence=sentence, at=offer.at)
    if offer.refused is not None:
        sentence = f"{_return(offer)}: {offer.refused.reason}"
        return Told(state=RollOutState.REFUSED, sentence=sentence, at=offer.refused.at)
    return Told(state=RollOutState.STANDING, at=offer.at)


def done_sentence(offer: DaemonOffer) -> str:
    """Say that a roll-out has come to its end."""
    hosts = len(offer.hosts)
    return f"{shown(offer.plan)} runs on {'its host' if hosts == 1 else f'all {hosts} hosts'}"


def _beginning(offer: DaemonOffer, roll_out: RollOut) -> str:
    if roll_out.back.plan.package != offer.plan.package:
        return f"rolling out {shown(offer.plan)}"
    return "restarting" if roll_out.back.generation != offer.generation else "rolling out a change"


def _return(offer: DaemonOffer) -> str:
    assert offer.refused is not None
    if offer.refused.package != offer.plan.package:
        return f"went back to {shown(offer.plan)}"
    _, generation, surroundings = offer.refused.edition.rsplit(" ", 2)
    changed = not name_of(main_edition(offer)).endswith(f" {surroundings}")
    if not changed and int(generation) != offer.generation:
        return "the restart was given up"
    return f"went back to {shown(offer.plan)} as it was before the change"


def _progress(offer: DaemonOffer, roll_out: RollOut) -> str:
    waiting = {host for edition in offer.earlier for host in edition.hosts}
    given = [host for host in offer.hosts if host not in waiting]
    of = f"{len(given)} of {len(offer.hosts)} host{'' if len(offer.hosts) == 1 else 's'}"
    return f"{of}, {_watching(roll_out.watch)}"


def _watching(watch: Watch | None) -> str:
    if watch is None:
        return "waiting for a host"
    if watch.until is None:
        return f"waiting for {watch.host} to run it"
    return f"watching {watch.host} until {watch.until:%H:%M:%S} UTC"

"""Who is here: the hosts that present themselves to a roll-call, and what each hands to the others.

Meeting is all that it serves: hosts that have met talk to each other directly, and the end of the
roll-call changes nothing for them. Versions of Kirby that do not fit each other still read each
other's introductions; so fields are only ever added here, with a default.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kirby.core.messages import Address, Message
from kirby.core.names import Host, StateFolderId

PRESENT_EVERY_S = 3.0  # each Supervisor presents itself: so long a returning roll-call is empty
PRESENT_FOR_S = 10.0  # three times missed: it is not here any more


@dataclass(frozen=True, kw_only=True)
class Introduction:
    """A host, as its Supervisor introduces it."""

    host: Host
    state_folder: StateFolderId
    life: int  # of the Supervisor
    supervisor: Address
    listens: str  # `address:port` of its actors
    version: str
    kafka: str = ""  # bootstrap servers
    kafka_cluster: str = ""  # the id that the brokers have given it
    web_urls: tuple[str, ...] = ()


# ---- messages -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class PlaceIs(Message):
    """A host's admin to whoever asked: its Supervisor; None while there is none."""

    supervisor: Address | None


@dataclass(frozen=True, kw_only=True)
class Present(Message):
    """A Supervisor to the roll-call of its convention leader, every few seconds."""

    introduction: Introduction


@dataclass(frozen=True, kw_only=True)
class RollAsked(Message):
    """A start process that is about to join: who is here?"""

    answer_to: Address


@dataclass(frozen=True, kw_only=True)
class RollIs(Message):
    """The roll-call to Supervisors and start processes: all who are here."""

    present: tuple[Introduction, ...]


# ---- the roll -----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Entry:
    """Who presented itself, and when it last did (BOOTTIME seconds)."""

    introduction: Introduction
    seen: float


@dataclass(frozen=True, kw_only=True)
class Roll:
    """All who presented themselves of late."""

    entries: Mapping[Host, Entry] = field(default_factory=dict)

    def present(self, now: float) -> tuple[Introduction, ...]:
        """Return who is here, by name."""
        here = self._here(now)
        return tuple(here[host].introduction for host in sorted(here))

    def _here(self, now: float) -> dict[Host, Entry]:
        return {
            host: entry for host, entry in self.entries.items() if now - entry.seen <= PRESENT_FOR_S
        }

    def enter(self, comer: Introduction, now: float) -> tuple["Roll", list[Introduction]]:
        """Enter who presents itself; return the new roll, and who is to be handed it.

        All are where someone is new, or anew; else only whoever presented itself. Of two hosts
        with one name the one that is here stays; an earlier life of a host changes nothing.
        """
        here = self._here(now)
        known = here.get(comer.host)
        if known is not None and not _follows(comer, known.introduction):
            return replace(self, entries=here), []
        entries = here | {comer.host: Entry(introduction=comer, seen=now)}
        roll = replace(self, entries=entries)
        is_news = known is None or known.introduction != comer
        return roll, list(roll.present(now)) if is_news else [comer]


def _follows(comer: Introduction, known: Introduction) -> bool:
    return comer.state_folder == known.state_folder and comer.life >= known.life


# ---- what a Supervisor makes of it --------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Acquaintances:
    """The hosts that one Supervisor has met; none is ever forgotten: it may come back."""

    me: Host
    met: Mapping[Host, Introduction] = field(default_factory=dict)

    def meet(self, present: Iterable[Introduction]) -> "Acquaintances":
        """Take in a roll: later lives and newcomers count."""
        met = dict(self.met)
        for each in present:
            known = met.get(each.host)
            if each.host != self.me and (known is None or not _is_past(each, known)):
                met[each.host] = each
        return replace(self, met=met)


def _is_past(each: Introduction, known: Introduction) -> bool:
    return each.state_folder == known.state_folder and each.life < known.life

"""What one Runner knows: the state of `core.claims.step`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, TypeAlias

import msgspec

from kirby.core.claims.decided import Decided
from kirby.core.claims.effects import AnyEffect
from kirby.core.claims.holding import Holding
from kirby.core.claims.pulse import Pulse
from kirby.core.claims.readiness import Peers, Readiness
from kirby.core.claims.waiting import Waiting
from kirby.core.clock_offset import ClockOffset
from kirby.core.moment import Moment
from kirby.core.names import Host, Incarnation, StateFolderId


class ShimTie(Enum):
    """How the Runner stands to its shim."""

    AWAY = "away"
    REACHED = "reached"  # it answers, but has not said whether it takes this incarnation
    GREETED = "greeted"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What does not change in a Runner's life."""

    host: Host
    state_folder: StateFolderId
    slots: int
    started: datetime
    version: str
    address: str = ""


class Claims(msgspec.Struct, frozen=True, kw_only=True):
    """All that one Runner knows; every event gives the next one."""

    me: Identity
    incarnation: Incarnation | None = None  # None: the ticket is not acknowledged yet
    ticket_again: float | None = None  # BOOTTIME; None: the ticket is on its way, or there
    shim: ShimTie = ShimTie.AWAY
    read_up: bool = False
    draining: bool = False
    ended: bool = False
    offset: ClockOffset = msgspec.field(default_factory=ClockOffset)
    pulse: Pulse = msgspec.field(default_factory=Pulse)
    readiness: Readiness = msgspec.field(default_factory=Readiness)
    peers: Peers = msgspec.field(default_factory=Peers)
    waiting: Waiting = msgspec.field(default_factory=Waiting)
    holding: Holding
    decided: Decided = msgspec.field(default_factory=Decided)

    def may_claim(self, boot: float) -> bool:
        """Whether rule C1 is fulfilled, the shim answers, and the host is not being drained."""
        return (
            self.read_up
            and self.pulse.acknowledged
            and self.shim is ShimTie.GREETED
            and not self.pulse.overdue(boot)
            and not self.draining
        )

    def broker_time(self, now: Moment) -> datetime:
        """Return the broker's time, as well as this host knows it."""
        return now.by_broker(self.offset.seconds)

    def but(self, **changes: Any) -> "Claims":
        """Return the state with some parts changed."""
        return msgspec.structs.replace(self, **changes)


Stepped: TypeAlias = tuple[Claims, list[AnyEffect]]
Handler: TypeAlias = Callable[[Claims, Any, Moment], Stepped]


def first_state(me: Identity) -> Claims:
    """Return what a Runner knows when it begins."""
    return Claims(me=me, holding=Holding(slots=me.slots))

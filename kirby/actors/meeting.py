"""How a Supervisor meets the others: through the roll-call of the convention leader's host.

Repeated every few seconds: so hosts meet again when the convention leader's host comes back, and
a message that was lost is no loss. Decides nothing: see `core.roll_call`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kirby import __version__
from kirby.actors.meeting_place import PlaceAsked, PlaceIsHere, admin_at
from kirby.core.joining import joins_another, own_endpoint
from kirby.core.messages import Begin
from kirby.core.names import Host
from kirby.core.roll_call import Acquaintances, Introduction, Present, RollIs

Send = Callable[[Any, Any], None]


@dataclass(frozen=True, kw_only=True)
class MeetAgain:
    """A wake-up: it is time to present this host again."""


class Meeting:
    """One Supervisor's part in it."""

    def __init__(self, begin: Begin, supervisor: Any, send: Send) -> None:
        self._send = send
        configuration = begin.configuration
        self._leader = configuration.convention_leader if joins_another(configuration) else None
        self._own = own_endpoint(configuration)
        self._introduction = Introduction(
            host=configuration.name,
            state_folder=begin.state_folder,
            life=begin.life,
            supervisor=supervisor,
            listens=str(self._own),
            version=__version__,
            kafka=configuration.kafka,
            kafka_cluster=begin.kafka_cluster,
            web_urls=configuration.web_urls,
        )
        self._acquaintances = Acquaintances(me=configuration.name)

    def go_on(self, own_roll_call: Any) -> None:
        """Say where this host is met, and present it where hosts meet."""
        own_admin = admin_at(self._own.host, self._own.port)
        self._send(own_admin, PlaceIsHere(self._introduction.supervisor))
        if own_roll_call is not None:
            self.present_to(own_roll_call)
        if self._leader is not None:
            self._send(admin_at(self._leader.host, self._leader.port), PlaceAsked())

    def present_to(self, place: Any) -> None:
        """Present this host to a roll-call, or to the Supervisor whose roll-call it is."""
        self._send(place, Present(introduction=self._introduction))

    def take(self, roll: RollIs) -> dict[Host, Any]:
        """Take in who is here; return where the Supervisors of all that were ever met are."""
        self._acquaintances = self._acquaintances.meet(roll.present)
        return {host: each.supervisor for host, each in self._acquaintances.met.items()}

    def facts(self) -> dict[str, Any]:
        """Return through whom this host meets others, and whom it has met."""
        met = self._acquaintances.met
        return {
            "convention_leader": str(self._leader or self._own),
            "met": {host: each.listens for host, each in sorted(met.items())},
        }

"""What a host's admin tells whoever asks: the address of its Supervisor.

The admin's port is all that others know of a host. Thespian's own convention would tell it, too,
but it also registers, watches, logs and cleans up across hosts, and none of that is wanted: hosts
meet, and then talk to each other directly. Follows Thespian 4.0.1 to the letter of its names.
"""

from typing import Any

from thespian.actors import ActorAddress, ActorSystemMessage
from thespian.system.systemAdmin import ThespianAdmin
from thespian.system.transport import TransmitIntent
from thespian.system.transport.IPBase import TCPv4ActorAddress

from kirby.core.roll_call import PlaceIs


class PlaceIsHere(ActorSystemMessage):
    """A Supervisor to the admin of its host: this is where I am."""

    def __init__(self, supervisor: Any) -> None:
        self.supervisor = supervisor


class PlaceAsked(ActorSystemMessage):
    """Anyone to an admin: where is your Supervisor?"""


def tell_who_asks() -> None:
    """Have every admin that this process makes answer."""
    ThespianAdmin.h_PlaceIsHere = _take
    ThespianAdmin.h_PlaceAsked = _tell


def admin_at(address: str, port: int) -> Any:
    """Return the address of a host's admin."""
    return ActorAddress(TCPv4ActorAddress(address, port, external=True))


def _take(admin: Any, envelope: Any) -> bool:
    admin.supervisor_of_the_host = envelope.message.supervisor
    return True


def _tell(admin: Any, envelope: Any) -> bool:
    place = PlaceIs(supervisor=getattr(admin, "supervisor_of_the_host", None))
    admin._send_intent(TransmitIntent(envelope.sender, place))
    return True

"""Records for the tests of Kafka's part: any will do, so they are few and short."""

from datetime import UTC, datetime

from kirby.core.names import Epoch, Host, Incarnation, RunId, StateFolderId
from kirby.core.records import Beat, Claim, Leadership, Ticket

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
FOLDER = StateFolderId("f00d")


def claim(
    run: str = "pump/prod@2026-03-01T12:00:00Z", attempt: int = 1, host: str = "alpha"
) -> Claim:
    return Claim(
        run=RunId(run),
        attempt=attempt,
        host=Host(host),
        incarnation=Incarnation(1),
        state_folder=FOLDER,
    )


def ticket(host: str = "alpha") -> Ticket:
    return Ticket(host=Host(host), state_folder=FOLDER)


def leadership(host: str = "alpha", life: int = 1) -> Leadership:
    return Leadership(host=Host(host), life=life, at=AT)


def beat(epoch: int, host: str = "alpha") -> Beat:
    return Beat(host=Host(host), epoch=Epoch(epoch), at=AT, since=AT)

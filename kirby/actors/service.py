"""What the start process asks of the processes that it keeps beside the actors."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol


class Service(Protocol):
    """One process beside the actors."""

    @property
    def name(self) -> str:
        """What people call it."""

    def running(self) -> int | None:
        """Return its pid, if it lives."""

    def start(self) -> None:
        """See to it that it runs; where it ran before, so that whoever uses it finds it again.

        Raises:
            KafkaPortTaken: something is in the way that may go by itself.
            KirbyError, OSError: it cannot be started.
        """

    def end(self) -> None:
        """End it, if it lives."""


class ScriptHolder(Service, Protocol):
    """The service that holds the scripts."""

    def scripts(self) -> list[tuple[str, int]]:
        """Return what lives: run or instance, and pid."""

    def end(self) -> None:
        """End it, if it lives.

        Raises:
            ShimError: it holds scripts, or does not answer.
        """

    def end_scripts(self) -> None:
        """End all scripts, and it."""


class Broker(Service, Protocol):
    """The embedded Kafka."""

    def bootstrap(self) -> str:
        """See to it that it answers, there or elsewhere; return where."""


@dataclass(frozen=True, kw_only=True)
class Services:
    """What one host keeps: no broker or web service where they are configured elsewhere."""

    shim: ScriptHolder
    broker: Broker | None = None
    web: Service | None = None

    def __iter__(self) -> Iterator[Service]:
        """Yield them in the order of starting."""
        for service in (self.broker, self.shim, self.web):
            if service is not None:
                yield service

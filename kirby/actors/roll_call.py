"""The roll-call of a convention leader's host: hands every Supervisor the addresses of all.

The Supervisor makes it when somebody first comes. Decides nothing: see `core.roll_call`.
"""

from typing import Any, ClassVar

from kirby.actors.base import KirbyActor
from kirby.core.messages import Begin
from kirby.core.roll_call import Introduction, Present, Roll, RollAsked, RollIs


class RollCall(KirbyActor):
    """Knows who presented itself of late; begins with nobody, and is full again in seconds."""

    role: ClassVar[str] = "roll-call"

    def begin(self, begin: Begin, sender: Any) -> None:
        """Begin with an empty roll."""
        self._roll = Roll()

    def on(self, message: Any, sender: Any) -> None:
        """Enter who presents itself; tell who asks."""
        match message:
            case Present(introduction=comer):
                self._enter(comer)
            case RollAsked(answer_to=asking):
                self.send(asking, RollIs(present=self._present()))
            case _:
                pass  # of the actor library

    def _enter(self, comer: Introduction) -> None:
        self._roll, told = self._roll.enter(comer, self.clock.boot())
        if not told:
            self.log.warning("a second host calls itself %s (%s)", comer.host, comer.listens)
        for each in told:
            self.send(each.supervisor, RollIs(present=self._present()))

    def _present(self) -> tuple[Introduction, ...]:
        return self._roll.present(self.clock.boot())

    def facts(self) -> dict[str, Any]:
        """Return who is here."""
        return {"present": [each.host for each in self._present()]}

"""Small actors for the tests of the actor system."""

import os
from typing import Any

from thespian.actors import ActorExitRequest, ActorTypeDispatcher, ChildActorExited


class Echo(ActorTypeDispatcher):
    """Answers with what it was told, and can have a child do so."""

    child: Any = None
    lost = 0

    def receiveMsg_str(self, message: str, sender: Any) -> None:  # noqa: N802
        match message:
            case "pid":
                self.send(sender, os.getpid())
            case "lost":
                self.send(sender, self.lost)
            case "child":
                self.child = self.child or self.createActor(Echo)
                self.send(sender, self.child)
            case _:
                self.send(sender, message)

    def receiveMsg_ChildActorExited(self, message: ChildActorExited, sender: Any) -> None:  # noqa: N802
        self.child, self.lost = None, self.lost + 1

    def receiveMsg_ActorExitRequest(self, message: ActorExitRequest, sender: Any) -> None:  # noqa: N802
        pass

"""The processes of an actor's children, and their ends: told by the kernel, not by Thespian.

Thespian 4.0.1 drops the news of a child that died before it had connected to its parent (its
address cannot be sent yet), and the parent would wait for it for ever. A pidfd tells always.
Follows Thespian's names to the letter.
"""

import os
from typing import Any

from thespian.actors import Actor


class ChildProcess:
    """The process of the child that an actor created last."""

    def __init__(self, actor: Actor) -> None:
        self._manager: Any = actor._myRef
        self._child: Any = self._manager._child_procs[-1]
        self.pid: int = self._child.childProc.pid
        self.ended = os.pidfd_open(self.pid)  # can be read once it has ended

    def bury(self) -> None:
        """Let go of a child that ended, and of what was still to be sent to it."""
        os.close(self.ended)
        if not hasattr(self._child, "childRealAddr"):
            self._manager._retryPendingChildOperations(self._child.childNum, None)

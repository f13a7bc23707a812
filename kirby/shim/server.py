"""Joins the socket and the keeper: who asks, who watches, when the shim ends by itself."""

import sys
import time

from kirby.shim.groups import Groups
from kirby.shim.keeper import Keeper
from kirby.shim.kernel import SECOND, boot_ns
from kirby.shim.loop import Loop, wake_on_signals
from kirby.shim.recovery import recover
from kirby.shim.requests import Request
from kirby.shim.wire import Listener, Slot

IDLE_NS = 600 * SECOND  # without a script and without a peer
LOOK_NS = 60 * SECOND
AFTER_FAULT_S = 0.2  # one that comes again must not take the whole machine


class Server:
    """One shim."""

    def __init__(self, state: str, boot_id: str, groups: Groups) -> None:
        self._state = state
        self._loop = Loop()
        self._keeper = Keeper(state, self._loop, boot_id, groups)
        self._busy_at = boot_ns()
        self._terminated = False

    def serve(self) -> None:
        """Take over what is there, then answer until the end."""
        wake_on_signals(self._loop, self._signalled)
        recover(self._keeper, self._loop)
        self._listener = Listener(self._loop, f"{self._state}/shim", self._on_request)
        while True:
            try:
                if self._ends():
                    return
                deaf = self._keeper.scribe.quiet_until > boot_ns()
                self._loop.turn(self._until(), self._keeper.turn, deaf=deaf)
            except Exception:  # a fault of ours must not cost the scripts their parent
                sys.excepthook(*sys.exc_info())
                time.sleep(AFTER_FAULT_S)

    def _ends(self) -> bool:
        """Tell what happened; then say whether that was the last."""
        self._keeper.settle()
        self._push()
        return self._keeper.done or self._terminated or self._is_idle()

    def _until(self) -> int:
        look = boot_ns() + LOOK_NS
        return min(self._keeper.next_instant(), look)

    def _signalled(self, numbers: bytes) -> None:
        self._terminated = b"\x0f" in numbers  # SIGTERM: scripts live on, the next shim adopts them
        self._keeper.reap()

    def _on_request(self, slot: Slot, request: Request, length: int) -> None:
        kind = str(request.get("do"))
        if kind == "watch":
            slot.connection.watches = True
            slot.fill({})
            return
        self._keeper.ask(slot, kind, request, length)

    def _push(self) -> None:
        if self._keeper.memory.dirty:
            return
        told, self._keeper.scribe.told = self._keeper.scribe.told, []
        watching = [one for one in self._listener.connections if one.open and one.watches]
        for connection in watching:
            for event in told:
                connection.push(event)

    def _is_idle(self) -> bool:
        self._listener.prune()
        now = boot_ns()
        if self._listener.connections or any(self._keeper.book.living()):
            self._busy_at = now
        return now - self._busy_at > IDLE_NS

"""All the processes of an attempt: found, killed, and found to be gone.

With a control group the kernel answers. Elsewhere they are found by ancestry, session, or the
attempt and the mark of the state folder in their environment; this process is the subreaper, so
what loses its parent comes below it.
"""

import os
import signal

from kirby.shim import groups, proc
from kirby.shim.events import Key
from kirby.shim.proc import Seen


class Tree:
    """The processes of one attempt; `pid` leads its session."""

    def __init__(self, key: Key, pid: int, started: int, group: str, mark: str) -> None:
        self.key = key
        self.pid = pid
        self.started = started
        self.group = group
        self.mark = mark  # of the state folder
        self.reaped = False  # its leader is gone for good: the number may be another's
        self._known: dict[int, int] = {}  # pid to start time of all that ever was found

    def terminate(self) -> None:
        """Ask the script's process group to end."""
        self._signal_group(signal.SIGTERM)

    def kill(self, world: dict[int, Seen]) -> bool:
        """Kill all that is left; tell whether there was nothing."""
        self._signal_group(signal.SIGKILL)
        if self.group:
            if groups.is_empty(self.group):
                return True
            groups.kill(self.group)
            return False
        left = self._find(world)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                pass
        return not left

    def look(self, world: dict[int, Seen]) -> None:
        """Learn who belongs to it while ancestry still tells."""
        if not self.group:
            self._find(world)

    def _signal_group(self, number: int) -> None:
        if self.reaped or not self.pid:
            return
        try:
            os.killpg(self.pid, number)
        except OSError:
            pass

    def _find(self, world: dict[int, Seen]) -> list[int]:
        """Return who is left, its unreaped leader and zombies aside."""
        members = {pid for pid, seen in world.items() if self._is_member(seen)}
        grown = True
        while grown:
            below = {pid for pid, seen in world.items() if seen.parent in members} - members
            members |= below
            grown = bool(below)
        self._known.update({pid: world[pid].started for pid in members})
        return [pid for pid in members if not world[pid].zombie]

    def _is_member(self, seen: Seen) -> bool:
        if seen.pid == os.getpid() or seen.started < self.started:
            return False
        if self._known.get(seen.pid) == seen.started:
            return True
        if seen.pid == self.pid:
            return seen.started == self.started
        if seen.session == self.pid and self.pid:
            return True
        return not seen.zombie and proc.bears(seen.pid, self.key, self.mark)

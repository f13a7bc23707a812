"""Ends what is left of attempts, until nothing is."""

import os
import signal
from collections.abc import Callable

from kirby.shim import proc
from kirby.shim.events import Key
from kirby.shim.kernel import MILLISECOND
from kirby.shim.proc import Seen
from kirby.shim.process import Process

FIRST_PAUSE_NS = 2 * MILLISECOND  # between two looks at what has not died, doubling
LONGEST_PAUSE_NS = 250 * MILLISECOND
AT_ONCE = 1  # an instant long ago


class Undertaker:
    """Kills trees, and calls `finish` for each attempt of which nothing is left."""

    def __init__(self, processes: dict[Key, Process], finish: Callable[[Process], None]) -> None:
        self.next_look = 0  # when `sweep` is needed; 0: not at all
        self.not_strays: set[int] = set()  # children of the shim that are no scripts
        self._processes = processes
        self._finish = finish
        self._dying: set[Key] = set()
        self._pause = FIRST_PAUSE_NS

    @property
    def is_busy(self) -> bool:
        """Whether something has to die yet."""
        return bool(self._dying)

    def end(self, process: Process) -> None:
        """Kill all that is left of an attempt, at the next sweep."""
        self._dying.add(process.key)
        self._pause = FIRST_PAUSE_NS
        self.next_look = AT_ONCE

    def sweep(self, now: int) -> None:
        """Kill what is left of those that end, and finish those of which nothing is left."""
        dying = [self._processes[key] for key in self._dying if key in self._processes]
        self._dying.clear()
        needs_world = any(one.tree and not one.tree.group for one in dying)
        world = proc.everyone() if needs_world else {}
        strays = self._kill_strays(world)
        for process in dying:
            gone = process.tree is None or process.tree.kill(world)
            held_up = strays and process.tree is not None and not process.tree.group
            if gone and process.left and not held_up:
                self._finish(process)
            else:
                self._dying.add(process.key)
        self.next_look = now + self._pause if self._dying else 0
        self._pause = min(self._pause * 2, LONGEST_PAUSE_NS)

    def _kill_strays(self, world: dict[int, Seen]) -> bool:
        """Kill what shed session and environment and lost its parent, once nobody can own it.

        It can only be of a script that began before it; this process is the parent it was given.
        """
        own = os.getpid()
        trees = [one.tree for one in self._processes.values() if one.tree and not one.left]
        pids = {tree.pid for tree in trees} | self.not_strays
        found = False
        for seen in world.values():
            is_orphan = seen.parent == own and seen.pid not in pids and not seen.zombie
            if is_orphan and all(tree.started > seen.started for tree in trees):
                found = True
                try:
                    os.kill(seen.pid, signal.SIGKILL)
                except OSError:
                    pass
        return found

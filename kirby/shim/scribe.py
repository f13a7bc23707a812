"""Writes down what happened: into the memory, and once that is synced into the journals.

So whoever reads a journal reads what is on the disk. What can wait is written in a quiet moment.
"""

import sys

from kirby.shim.events import Key
from kirby.shim.folder import record_of
from kirby.shim.kernel import MILLISECOND, boot_ns, wall_ns
from kirby.shim.memory import Memory
from kirby.shim.process import Process
from kirby.shim.requests import Request

# After a release the machine belongs to the scripts: each needs about 2 ms of a core to its first
# line and, if it is short, to its end. What they say waits in their pipes for that long.
QUIET_EACH_NS = 2 * MILLISECOND
LONGEST_QUIET_NS = 200 * MILLISECOND
LOOK_AGAIN_NS = 50 * MILLISECOND  # for a first line that is late


class Scribe:
    """Holds the pen."""

    def __init__(self, memory: Memory, boot_id: str) -> None:
        self.memory = memory
        self.boot_id = boot_id
        self.told: list[Request] = []  # steps for those who watch, once synced
        self._noted: list[tuple[Process, Request]] = []  # not synced yet
        self._finished: list[Process] = []
        self.quiet_until = 0
        self.moment_at = 0  # when what waits is to be written; 0: nothing waits

    def note(self, process: Process, step: Request, lazily: bool = False) -> None:
        """Take down a step, with its instants."""
        step = {**step, "at_ns": wall_ns(), "boot_ns": boot_ns()}
        if lazily:
            process.lazy.append(step)
            self.wait_for_a_moment()
            return
        self.write_lazy(process)
        self._write(process, step)

    def remember(self, key: Key, outcome: str) -> None:
        """Keep what became of an attempt beyond its folder."""
        self.memory.append({"run": key[0], "attempt": key[1], "outcome": outcome})

    def be_quiet(self) -> None:
        """Leave the machine to a script that was just let go."""
        now = boot_ns()
        quiet = max(self.quiet_until, now) + QUIET_EACH_NS
        self.quiet_until = min(quiet, now + LONGEST_QUIET_NS)
        self.wait_for_a_moment()

    def wait_for_a_moment(self) -> None:
        """See to it that what waits is written."""
        self.moment_at = max(self.moment_at, self.quiet_until, 1)

    def write_lazy(self, process: Process) -> None:
        """Write what waited, in order."""
        lazy, process.lazy = process.lazy, []
        for step in lazy:
            self._write(process, step)

    def _write(self, process: Process, step: Request) -> None:
        run, attempt = process.key
        name = {"run": run, "attempt": attempt}
        more = {"order": record_of(process.order, self.boot_id)} if step["step"] == "armed" else {}
        self.memory.append({**name, **step, **more})
        self._noted.append((process, step))

    def finish(self, process: Process) -> None:
        """Close the journal of an attempt when all of it is written."""
        self._finished.append(process)

    def publish(self) -> None:
        """Write into the journals what the memory has on the disk, and have it told."""
        noted, self._noted = self._noted, []
        for process, step in noted:
            run, attempt = process.key
            try:
                process.folder.append(step)
            except OSError as fault:  # the memory has it; the next shim mends the journal
                sys.stderr.write(f"{process.folder.path}/journal: {fault.strerror}\n")
            self.told.append({"event": step["step"], "run": run, "attempt": attempt, **step})
        finished, self._finished = self._finished, []
        for process in finished:
            process.folder.close()

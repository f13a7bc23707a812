"""How a script takes SIGTERM: it finishes the record in hand, and its with-blocks close.

While a topic is open for reading, the first SIGTERM is only noted: asking for the next record
then ends the iteration. Otherwise, and at the second one, `StopAsked` is raised at once. A script
that handles SIGTERM itself is left alone.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType

STATUS = 128 + signal.SIGTERM  # what a shell shows of a process that SIGTERM ended


class StopAsked(SystemExit):
    """Someone wants the script to end. Uncaught, it closes the with-blocks and ends the script."""

    def __init__(self) -> None:
        super().__init__(STATUS)


class Stopping:
    """Whether the script was asked to stop."""

    def __init__(self, waits: Callable[[], bool]) -> None:
        self.is_asked = False
        self._waits = waits  # whether something will look at `is_asked` soon

    def install(self) -> None:
        """Listen for SIGTERM where nobody else does and Python lets one."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._on_signal)

    def check(self) -> None:
        """Raise `StopAsked` if the script was asked to stop."""
        if self.is_asked:
            raise StopAsked

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        is_second, self.is_asked = self.is_asked, True
        if is_second or not self._waits():
            raise StopAsked

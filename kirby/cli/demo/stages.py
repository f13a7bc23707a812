"""The lines of the first minute: what is done, a tick, how long it took."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from kirby.cli.terminal import Terminal
from kirby.kafka.progress import Stage

WIDTH = 44  # of a stage's name, so that the ticks stand below each other
MEGABYTE = 1_000_000
QUICK_SECONDS = 0.05  # a stage that was done long ago gets no line


class Stages:
    """Prints a line for each stage as it ends; shows the one that is under way."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._begun: dict[Stage, float] = {}

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Show a stage while it lasts, and its line when it has ended well."""
        begun = time.monotonic()
        with self._terminal.waiting(name):
            yield
        self._tell(name, time.monotonic() - begun)

    def kafka(self, stage: Stage, done: int, total: int) -> None:
        """Show how the embedded Kafka comes along; see `kirby.kafka.progress`."""
        begun = self._begun.setdefault(stage, time.monotonic())
        took = time.monotonic() - begun
        if done >= total and took > QUICK_SECONDS:
            size = f", {total / MEGABYTE:.0f} MB" if total > MEGABYTE else ""
            self._tell(f"{stage.value}{size}", took)

    def _tell(self, name: str, seconds: float) -> None:
        self._terminal.say(f"{name:<{WIDTH}}✓ {seconds:4.0f} s")

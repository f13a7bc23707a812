"""Shows how the embedded Kafka comes along: one line for each stage, with its time."""

from types import TracebackType
from typing import Self

from rich.progress import Progress, TaskID

from kirby.cli.terminal import Terminal
from kirby.kafka.progress import Stage


class FetchProgress:
    """A display that lives as long as something is under way."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._display: Progress | None = None
        self._tasks: dict[Stage, TaskID] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def note(self, stage: Stage, done: int, total: int) -> None:
        """Take note of a stage's progress; see `kirby.kafka.progress`."""
        if self._display is None:
            self._display = self._terminal.progress()
            self._display.start()
        if stage not in self._tasks:
            self._tasks[stage] = self._display.add_task(stage.value.ljust(32), total=total or 1)
        self._display.update(self._tasks[stage], completed=done, total=total or 1)
        if done >= total and self._is_all_done():
            self._end()

    def _is_all_done(self) -> bool:
        return self._display is not None and all(task.finished for task in self._display.tasks)

    def _end(self) -> None:
        if self._display is not None:
            self._display.stop()
            self._display, self._tasks = None, {}

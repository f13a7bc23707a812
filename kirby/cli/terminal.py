"""What a person sees: tables and sentences, or JSON; colour only where it is wanted."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from kirby.core.visible import escaped_json, visible

Cell = str | Text


@dataclass(frozen=True, kw_only=True)
class Terminal:
    """The two ends of a command's output: results to `out`, everything else to `err`.

    rich leaves out colour by itself where the output is no terminal or NO_COLOR is set.
    """

    as_json: bool = False
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    err: Console = field(
        default_factory=lambda: Console(stderr=True, highlight=False, soft_wrap=True)
    )

    @property
    def is_interactive(self) -> bool:
        """Whether somebody can answer a question."""
        return sys.stdin.isatty() and not self.as_json

    def say(self, text: Cell) -> None:
        """Print a sentence of the result; nothing where JSON is asked for."""
        if not self.as_json:
            self.out.print(_shown(text))

    def note(self, text: Cell) -> None:
        """Print what is not part of the result."""
        self.err.print(_shown(text))

    def data(self, value: Any) -> None:
        """Print the JSON twin of a result; nothing where a person reads."""
        if self.as_json:
            text = json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False)
            self.out.print(escaped_json(text), markup=False, soft_wrap=True)

    def line(self, value: Any) -> None:
        """Print one JSON value on a line of its own, for what goes on and on."""
        if self.as_json:
            text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False)
            self.out.print(escaped_json(text), markup=False, soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[Cell]]) -> None:
        """Print rows under headings, aligned, without a frame; nothing where JSON is asked for."""
        if self.as_json:
            return
        table = Table(box=None, pad_edge=False, header_style="bold")
        for heading in headings:
            table.add_column(heading.upper(), overflow="fold")
        for row in rows:
            table.add_row(*map(_shown, row))
        self.out.print(table, soft_wrap=False)

    @contextmanager
    def waiting(self, what: str) -> Iterator[None]:
        """Show that something takes long."""
        if self.as_json or not self.err.is_terminal:
            yield
            return
        with self.err.status(_shown(what)):
            yield

    def progress(self) -> Progress:
        """Return a progress display for several steps, on the error side."""
        return Progress(
            SpinnerColumn(finished_text="✓"),
            TextColumn("{task.description}"),
            BarColumn(bar_width=24),
            TimeElapsedColumn(),
            console=self.err,
            disable=self.as_json,
        )


def _shown(text: Cell) -> Text:
    """Take text as it is: no markup of rich's, and nothing that the terminal would obey."""
    shown = text.copy() if isinstance(text, Text) else Text(visible(text))
    shown.plain = visible(shown.plain)
    return shown


def _console(*, to_stderr: bool) -> Console:
    """Make a console that guesses no colours into text, and leaves wrapping to the terminal."""
    return Console(stderr=to_stderr, highlight=False, soft_wrap=True)

"""A running line of what happens: ends of runs, changes of daemons, with their last words."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from rich.text import Text

from kirby.cli.service import Service
from kirby.cli.words import instant, styled, took
from kirby.core.errors import NotFound
from kirby.core.visible import visible

NAME_WIDTH = 14
RUNS = 30  # asked for at a time; more do not end in a second of the demo


@dataclass(kw_only=True)
class Happenings:
    """What was told already, so that only news is told."""

    service: Service
    ended: set[str] = field(default_factory=set)
    states: dict[str, str] = field(default_factory=dict)
    read: dict[str, tuple[int, int]] = field(default_factory=dict)  # attempt, lines
    is_first: bool = True

    def news(self) -> Iterator[Text]:
        """Return the lines for what has happened since the last call."""
        runs = self.service.get("/runs", limit=RUNS)["runs"]
        fresh = [run for run in reversed(runs) if not run.get("stretch") and run["end"]]
        for run in fresh:
            if run["run"] not in self.ended:
                self.ended.add(run["run"])
                if not self.is_first:
                    yield _run_line(run)
        self.is_first = False
        for daemon in self.service.get("/daemons")["daemons"]:
            yield from self._daemon(daemon)

    def _daemon(self, daemon: dict[str, Any]) -> Iterator[Text]:
        instance, state = daemon["instance"], daemon["state"]
        if self.states.get(instance) != state:
            self.states[instance] = state
            yield _line(daemon["since"], daemon["context"], "daemon", state, "", daemon["reason"])
        line = self._last_line(instance)
        if line is not None:
            yield _line(line["at"], daemon["context"], "daemon", "", "", line["text"])

    def _last_line(self, instance: str) -> dict[str, Any] | None:
        """Return the newest line that a daemon wrote since, if it wrote any."""
        attempt, after = self.read.get(instance, (0, 0))
        try:
            answer = self.service.get(f"/runs/{quote(instance)}/log", after=after)
        except NotFound:
            return None  # it has just been started: none of its steps was told yet
        if answer["attempt"] != attempt:
            answer = self.service.get(f"/runs/{quote(instance)}/log", after=0)
        self.read[instance] = (answer["attempt"], answer["next"])
        lines = answer["lines"]
        return lines[-1] if lines else None


def _run_line(run: dict[str, Any]) -> Text:
    tail = run["tries"][-1]["tail"] if run["tries"] else []
    words = tail[-1] if tail else run["reason"]
    moment = run["begun"] or run["due"]
    return _line(moment, run["context"], "run", run["end"], took(run["seconds"]), words)


def _line(moment: Any, context: str, kind: str, state: str, lasted: str, words: str) -> Text:
    at = instant(moment)
    text = Text(f"{at:%H:%M:%S.%f}"[:-3] if at is not None else " " * 12, style="dim")
    text.append(f"  {context.removesuffix('/prod'):<{NAME_WIDTH}}{kind:<8}")
    text.append_text(styled(f"{state:<11}" if state else " " * 11))
    text.append(f"{lasted:<8}{visible(words or '')}")
    return text

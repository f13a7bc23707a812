"""What Kirby says happened: runs with their ends, daemons, logs, all by `kirby … --json`."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.stories.command_line import CommandLine
from tests.stories.patience import PATIENCE_S, eventually

Run = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """All questions of a story about runs and daemons."""

    kirby: CommandLine

    def fires(self, job: str = "", **wanted: str) -> list[Run]:
        """Return runs and stretches, the earliest first."""
        words = [word for name, value in wanted.items() for word in (f"--{name}", value)]
        found: list[Run] = self.kirby.json("runs", *[job] if job else [], "--all", *words)["runs"]
        return found[::-1]

    def runs(self, job: str = "", **wanted: str) -> list[Run]:
        """Return runs alone, the earliest first."""
        return [fire for fire in self.fires(job, **wanted) if not fire.get("stretch")]

    def run(self, run: str) -> Run | None:
        """Return one run, if anything of it is known yet."""
        job = run.partition("@")[0]
        return next((each for each in self.runs(job) if each["run"] == run), None)

    def ended(self, run: str, *, within_s: float = PATIENCE_S) -> Run:
        """Wait for the end of a run; return the run."""
        found = eventually(
            lambda: self.run(run),
            what=f"{run} has ended",
            until=lambda each: each is not None and bool(each["end"]),
            within_s=within_s,
            every_s=0.3,
        )
        assert found is not None
        return found

    def all_ended(self, runs: Iterable[str], *, within_s: float = PATIENCE_S) -> dict[str, Run]:
        """Wait for the ends of many runs; return them by id."""
        wanted = set(runs)

        def look() -> dict[str, Run]:
            return {r["run"]: r for r in self.runs() if r["run"] in wanted and r["end"]}

        what = f"{len(wanted)} runs have ended"
        return eventually(
            look, what=what, until=lambda s: len(s) == len(wanted), within_s=within_s, every_s=0.5
        )

    def daemons(self) -> list[dict[str, Any]]:
        """Return all daemons' instances."""
        found: list[dict[str, Any]] = self.kirby.json("daemons")["daemons"]
        return found

    def daemon(self, job: str) -> dict[str, Any]:
        """Return the first instance of a daemon; empty while there is none."""
        return next((d for d in self.daemons() if d["context"].startswith(f"{job}/")), {})

    def lines(self, run: str, *words: str) -> list[dict[str, Any]]:
        """Return the log of a run or instance."""
        said = self.kirby("logs", run, "--json", *words).well().out
        return [json.loads(line) for line in said.splitlines()]

    def text(self, run: str) -> str:
        """Return the log of a run or instance as one text."""
        return "\n".join(line["text"] for line in self.lines(run))


def stands_for(fire: Run, due: datetime) -> bool:
    """Whether a run or a stretch is the end of what was due at an instant."""
    if not fire.get("stretch"):
        return instant(fire["due"]) == due
    return instant(fire["first"]) <= due <= instant(fire["last"])


def instant(text: str) -> datetime:
    """Read an instant of JSON."""
    return datetime.fromisoformat(text)


def late(run: Run) -> timedelta:
    """Return how late the first line of a run's last attempt was."""
    return timedelta(microseconds=run["late_us"])

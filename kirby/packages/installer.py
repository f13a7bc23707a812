"""What uv is asked for: an empty environment, and packages in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from kirby.packages.own_wheel import OwnWheel
from kirby.packages.uv import Said, run_uv

LIMIT = timedelta(minutes=20)  # a large package that is built from source takes this long


@dataclass(frozen=True, kw_only=True)
class Installer:
    """uv, with all that is the same for each of its calls in a build."""

    surroundings: Mapping[str, str]  # see `scrubbed`
    python: str
    own: OwnWheel
    index: str  # of the built-in index; empty: there is none
    default_index: str  # empty: the public one
    source_builds: bool

    def create(self, environment: Path) -> Said:
        """Make an empty environment."""
        options = ("--relocatable", "--no-project", "--python", self.python)
        return self._run("venv", *options, environment, folder=environment.parent)

    def install(self, environment: Path, *requirements: str) -> Said:
        """Put packages into an environment, and Kirby with them, whatever they require of it.

        Args:
            environment: in a folder of its own, where a file is written beside it.
            requirements: each `name==version`.
        """
        override = environment.with_name("override.txt")
        override.write_text(f"{self.own.requirement}\n")
        options: list[str | Path] = [
            *("--python", environment / "bin" / "python"),
            *("--compile-bytecode", "--link-mode", "hardlink", "--index-strategy", "first-index"),
            *("--override", override),
            *(() if self.source_builds else ("--no-build",)),
            # The other way round, a package of the same name elsewhere would win.
            *(("--index", self.index) if self.index else ()),
            *(("--default-index", self.default_index) if self.default_index else ()),
        ]
        # What follows "--" is no option, whatever it looks like.
        wanted = ("--", *requirements, self.own.requirement)
        return self._run("pip", "install", *options, *wanted, folder=environment.parent)

    def _run(self, *arguments: str | Path, folder: Path) -> Said:
        return run_uv(*arguments, environment=self.surroundings, folder=folder, limit=LIMIT)

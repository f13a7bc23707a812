"""What a person types: `kirby …`, in a process of its own; or the same code here, to look often."""

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from kirby.cli.main import main
from kirby.core.errors import ExitCode

LIMIT_S = 150.0
OWN = "KIRBY_STORY_"  # Kirby refuses variables of its name that it does not know
PROGRAM = (sys.executable, "-m", "kirby.cli.main")


@dataclass(frozen=True, kw_only=True)
class Said:
    """How a command ended, and what it wrote."""

    code: int
    out: str
    err: str

    def well(self) -> "Said":
        """Insist that it went well."""
        assert self.code == ExitCode.OK, f"exit {self.code}\n{self.out}\n{self.err}"
        return self


@dataclass(frozen=True, kw_only=True)
class CommandLine:
    """A person at one host.

    Args:
        state: the state folder.
        inside: what stands before each command, as `ip netns exec alpha`.
        environment: variables of the person's shell, beside those of this process.
    """

    state: Path
    inside: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *words: str, **variables: str) -> Said:
        """Type a command; return what it said."""
        done = subprocess.run(
            [*self.inside, *PROGRAM, *words, "--state", str(self.state)],
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            timeout=LIMIT_S,
            env={**self.shell(), **variables},
            check=False,
        )
        return Said(code=done.returncode, out=done.stdout, err=done.stderr)

    def shell(self) -> dict[str, str]:
        """Return the person's environment: wide, and without the variables of the stories."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(OWN)}
        return {**ours, "COLUMNS": "200", **self.environment}

    def json(self, *words: str) -> Any:
        """Type a command with --json that must go well; return its data."""
        return json.loads(self._quietly(*words).well().out)

    def answers(self, *words: str) -> bool:
        """Type a command with --json; tell whether it went well."""
        return self._quietly(*words).code == ExitCode.OK

    def _quietly(self, *words: str) -> Said:
        return self(*words, "--json") if self.inside else self._here(*words, "--json")

    def _here(self, *words: str) -> Said:
        """Do the same in this process: to start one for each look takes half a second of a core."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([*words, "--state", str(self.state)])
        return Said(code=code, out=out.getvalue(), err=err.getvalue())

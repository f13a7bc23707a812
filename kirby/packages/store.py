"""The environments of a host, as a Watchdog sees them: find one, or have one built."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import msgspec

from kirby.core.requirement import Requirement
from kirby.packages.environments import (
    MANIFEST,
    Environment,
    Places,
    base_python,
    read_environment,
)
from kirby.packages.eviction import Limits
from kirby.packages.installation import own_digest
from kirby.packages.outcome import BuildFault, BuildReady, Outcome, decode_outcome
from kirby.packages.sources import SOURCES_VARIABLE, Sources

USE_NOTED_SECONDS = 60.0  # a use is noted on the disk at most this often


class Build:
    """A build in a process of its own. Wait on `fileno()`; then `result()` does not wait."""

    def __init__(self, requirement: Requirement, process: "subprocess.Popen[bytes]") -> None:
        self.requirement = requirement
        self._process = process
        self._outcome: Outcome | None = None

    @property
    def pid(self) -> int:
        """The process, which leads a group of its own."""
        return self._process.pid

    def fileno(self) -> int:
        """Return a descriptor that can be read when the outcome is there."""
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def result(self) -> Outcome:
        """Return the outcome; waits for it if it is not there yet. May be called again."""
        if self._outcome is None:
            assert self._process.stdout is not None
            line = self._process.stdout.readline()
            self._outcome = decode_outcome(line) or self._without_a_word()
            self._process.stdout.close()
            self._process.wait()  # the line is the last that it does
        return self._outcome

    def kill(self) -> None:
        """End the build and all that it started; what it left is removed by the next one."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def _without_a_word(self) -> BuildFault:
        status = self._process.wait()
        how = f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended {status}"
        sentence = f'package "{self.requirement}": the build of its environment {how}'
        return BuildFault(kind="BuildInterrupted", sentence=sentence, temporary=True)


class EnvironmentStore:
    """The environments below a state folder, for one interpreter and this very Kirby."""

    def __init__(
        self,
        state: Path,
        *,
        sources: Sources | None = None,
        token: Callable[[], str] | None = None,
        limits: Limits | None = None,
        python: str | None = None,
    ) -> None:
        self._state = state.absolute()
        self._sources = sources or Sources()
        self._token = token or (lambda: self._sources.token)
        self._limits = limits or Limits()
        python = python or base_python()
        self._places = Places(
            folder=self._state / "environments", python=python, own_digest=own_digest()
        )
        self._known: dict[Requirement, Environment] = {}

    def find(self, requirement: Requirement) -> Environment | None:
        """Return the environment of a package if it is ready, and note that it is used.

        Costs two looks at the file system; the first time a small file is read.
        """
        environment = self._known.get(requirement)
        if environment is None:
            environment = read_environment(self._places.environment(requirement))
        if environment is None or not self._note_use(environment):
            self._known.pop(requirement, None)
            return None
        self._known[requirement] = environment
        return environment

    def start_build(self, requirement: Requirement, *, source_builds: bool = False) -> Build:
        """Have an environment built by a process that ends with the calling thread's process.

        The calling thread must live on until the outcome is there: the kernel ends the build
        with the thread that started it.
        """
        command = [
            *(sys.executable, "-m", "kirby.packages.build"),
            *("--state", str(self._state), "--package", str(requirement)),
            *("--python", self._places.python, "--own-digest", self._places.own_digest),
            *("--most", str(self._limits.count), "--most-bytes", str(self._limits.own_bytes)),
            *("--recent-seconds", str(self._limits.recent_seconds)),
            *(("--source-builds",) if source_builds else ()),
        ]
        process = subprocess.Popen(
            command,
            env={**os.environ, SOURCES_VARIABLE: self._sources_now()},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        return Build(requirement, process)

    def _sources_now(self) -> str:
        now = msgspec.structs.replace(self._sources, token=self._token())
        return msgspec.json.encode(now).decode()

    def _note_use(self, environment: Environment) -> bool:
        manifest = environment.path / MANIFEST
        try:
            environment.python.stat()
            if time.time() - manifest.stat().st_mtime > USE_NOTED_SECONDS:
                os.utime(manifest)
        except OSError:
            return False
        return True


__all__ = ["Build", "BuildFault", "BuildReady", "EnvironmentStore", "Limits", "Sources"]

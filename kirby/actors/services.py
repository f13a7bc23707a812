"""What a host starts beside its actors, in sessions of their own: Kafka, shim, web service.

Each may be found running from an earlier start, may be configured elsewhere, and outlives the
start process. So each is looked for before it is started, and told apart by its own record.
"""

import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from kirby.actors.service import Services
from kirby.actors.starting import make_topics
from kirby.core.configuration import HostConfiguration
from kirby.host import shim_process
from kirby.host.processes import Detached
from kirby.host.state import StateFolder
from kirby.kafka import embedded
from kirby.kafka.progress import Progress, silent

END_WITHIN_S = 10.0
SCRIPT_GRACE_S = 10.0  # between SIGTERM and SIGKILL of scripts that are ended with the host


@dataclass(frozen=True, kw_only=True)
class EmbeddedKafka:
    """The embedded broker."""

    folder: Path
    configuration: HostConfiguration
    progress: Progress = silent
    name: str = "Kafka"

    def running(self) -> int | None:
        """Return its pid, if it lives."""
        return embedded.running(self.folder)

    def start(self) -> None:
        """See to it that it answers where it was, with all topics, also if its log was lost."""
        bootstrap = embedded.restart(self.folder)
        make_topics(replace(self.configuration, kafka=bootstrap))

    def bootstrap(self) -> str:
        """See to it that it answers, and return where; fetched the first time."""
        return embedded.ensure(self.folder, self.progress)

    def end(self) -> None:
        """End it cleanly."""
        embedded.stop(self.folder, self.progress)


@dataclass(frozen=True, kw_only=True)
class WebService:
    """The web service of this host."""

    folder: StateFolder
    name: str = "web service"

    @property
    def _process(self) -> Detached:
        return Detached(record=self.folder.web / "process.json")

    def running(self) -> int | None:
        """Return its pid, if it lives."""
        process = self._process.running()
        return process.pid if process else None

    def start(self) -> None:
        """Start it, unless it lives."""
        if self.running() is None:
            self._process.start(self.command(), log=self.folder.log / "web.log", env=os.environ)

    def command(self) -> list[str]:
        """Return how it is started; all else, passwords too, it finds in `host.json`."""
        return [sys.executable, "-m", "kirby.web", "--state", str(self.folder.path)]

    def end(self) -> None:
        """End it."""
        self._process.end(END_WITHIN_S)


@dataclass(frozen=True, kw_only=True)
class Shim:
    """The process that holds the scripts."""

    folder: StateFolder
    name: str = "shim"

    def running(self) -> int | None:
        """Return its pid, if it lives."""
        return shim_process.running(self.folder)

    def start(self) -> None:
        """Start it, unless it lives."""
        shim_process.ensure(self.folder)

    def scripts(self) -> list[tuple[str, int]]:
        """Return what lives: run or instance, and pid."""
        return shim_process.living_scripts(self.folder)

    def end(self) -> None:
        """End it; it refuses while scripts live."""
        shim_process.end(self.folder, with_scripts=False)

    def end_scripts(self) -> None:
        """End it with all its scripts."""
        shim_process.end(self.folder, with_scripts=True, grace_s=SCRIPT_GRACE_S)


def services_of(
    configuration: HostConfiguration, folder: StateFolder, progress: Progress = silent
) -> Services:
    """Return what this host has to keep running."""
    broker = EmbeddedKafka(folder=folder.kafka, configuration=configuration, progress=progress)
    return Services(
        shim=Shim(folder=folder),
        broker=None if configuration.kafka else broker,
        web=None if configuration.web_urls else WebService(folder=folder),
    )

"""What the hosts of a story share: a Kafka, a database, web services, each on a machine."""

import os
import subprocess
import sys
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from kirby.kafka.embedded import sources_of
from kirby.kafka.jars import ensure_jars
from kirby.kafka.progress import silent
from tests.stories.cluster.machines import Machine
from tests.stories.command_line import CommandLine
from tests.stories.patience import eventually

ROOT = Path(__file__).parents[3]
STARTS_WITHIN_S = 120.0
WEB_PORT = 8642
BASE = ("confluent-kafka", "msgspec")  # what every script's environment holds beside the script


class Kafka:
    """One broker, the product's own embedded one, for all machines of the network."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self._folder = folder
        self.bootstrap = ""

    def start(self) -> "Kafka":
        """Start it, or start it again where it was; returns when it answers."""
        ensure_jars(sources_of(os.environ).cache, silent)  # the machine has no way outside
        self.bootstrap = _program(self.machine, "broker", str(self._folder), self.machine.address)
        return self


class Database:
    """One PostgreSQL; its socket is in the file system, so any machine reaches it."""

    def __init__(self, machine: Machine, folder: Path) -> None:
        self.machine = machine
        self._folder = folder
        self.url = ""

    def start(self) -> "Database":
        """Start it, or start it again with what it had."""
        self.url = _program(self.machine, "postgres", str(self._folder))
        return self


class Web:
    """One web service, and the person who types commands at it."""

    def __init__(self, machine: Machine, folder: Path, flags: Sequence[str]) -> None:
        self.machine = machine
        self.state = folder / "state"
        self.state.mkdir(parents=True, mode=0o700)
        self.url = f"http://{machine.address}:{WEB_PORT}"
        self.kirby = CommandLine(state=self.state)
        self._said = folder / "said"
        self._process: subprocess.Popen[bytes] | None = None
        self._flags = [*flags, "--listen", f"{machine.address}:{WEB_PORT}"]

    def start(self) -> "Web":
        """Start it; returns when it answers."""
        self.begin()
        eventually(self._answers, what="the web service answers")
        return self

    def _answers(self) -> bool:
        assert self._process is None or self._process.poll() is None, self._said.read_text()
        return self.kirby.answers("hosts")

    def begin(self) -> None:
        """Start it, without waiting."""
        words = ("-m", "kirby.web", "--state", str(self.state), *self._flags)
        with self._said.open("ab") as said:
            self._process = subprocess.Popen(
                [*self.machine.inside, sys.executable, *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
                env=self.kirby.shell(),
            )


def base_wheels(folder: Path) -> list[Path]:
    """Fetch the wheels that every script's environment needs: the machines have no way outside."""
    wanted = [f"{name}=={version(name)}" for name in BASE]
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--only-binary", ":all:"]
    subprocess.run([*command, "--dest", str(folder), *wanted], check=True)
    return sorted(folder.glob("*.whl"))


def _program(machine: Machine, name: str, *words: str) -> str:
    """Run a program of this folder on a machine; return the last line that it said."""
    done = subprocess.run(
        [*machine.inside, sys.executable, "-m", f"tests.stories.cluster.{name}", *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STARTS_WITHIN_S,
        check=False,
        cwd=ROOT,
        env=dict(os.environ),
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]

"""A host with small actors as a program; arguments: state folder, address, port, Supervisor.

In place of the shim it keeps a process that sleeps; a second one counts as a script that lives. In
place of Kafka it keeps another, where TEST_OVEN is set.
"""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from kirby.actors.boot import StartProcess
from kirby.actors.service import Services
from kirby.core.configuration import HostConfiguration
from kirby.core.errors import KafkaPortTaken, KirbyError, ShimError
from kirby.core.names import Host
from kirby.host.processes import Detached

SLEEP = ["sleep", "600"]


@dataclass(frozen=True, kw_only=True)
class SleepingShim:
    """Holds one script where the file `script` names it."""

    state: Path
    name: str = "shim"

    @property
    def process(self) -> Detached:
        return Detached(record=self.state / "shim.json")

    @property
    def script(self) -> Detached:
        return Detached(record=self.state / "script.json")

    def running(self) -> int | None:
        process = self.process.running()
        return process.pid if process else None

    def start(self) -> None:
        time.sleep(float(os.environ.get("TEST_SHIM_TAKES", "0")))
        if self.running() is None:
            self.process.start(SLEEP, log=self.state / "log" / "shim.log", env=os.environ)

    def scripts(self) -> list[tuple[str, int]]:
        if os.environ.get("TEST_SHIM_IS_MUTE"):
            raise ShimError("the shim does not answer")
        script = self.script.running()
        return [("pump/prod#oven", script.pid)] if script else []

    def end(self) -> None:
        self.process.end(5.0)

    def end_scripts(self) -> None:
        self.script.end(5.0)
        self.end()


@dataclass(frozen=True, kw_only=True)
class SlowOven:
    """Stands where Kafka would; starts at once the first time, and later on as a file says."""

    state: Path
    name: str = "Kafka"

    @property
    def process(self) -> Detached:
        return Detached(record=self.state / "oven.json")

    def bootstrap(self) -> str:
        self.start()
        return ""

    def running(self) -> int | None:
        process = self.process.running()
        return process.pid if process else None

    def start(self) -> None:
        while (self.state / "oven.is-cold").exists():
            time.sleep(0.05)
        blocked = self.state / "oven.is-blocked"
        if blocked.exists():
            raise KafkaPortTaken(blocked.read_text())
        if self.running() is None:
            self.process.start(SLEEP, log=self.state / "log" / "oven.log", env=os.environ)

    def end(self) -> None:
        self.process.end(5.0)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    state, address, port, supervisor = sys.argv[1:]
    configuration = HostConfiguration(
        name=Host("oven"),
        state=state,
        address=address,
        port=int(port),
        watchdogs=2,
        kafka=os.environ.get("TEST_KAFKA", ""),
    )
    oven = SlowOven(state=Path(state)) if os.environ.get("TEST_OVEN") else None
    services = Services(shim=SleepingShim(state=Path(state)), broker=oven)
    supervisor_class = f"tests.builders.crew.{supervisor}"
    try:
        process = StartProcess(configuration, services, say, supervisor_class=supervisor_class)
        return int(process.run())
    except KirbyError as fault:
        say(str(fault))
        return int(fault.exit_code)


if __name__ == "__main__":
    sys.exit(main())

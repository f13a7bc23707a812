"""The commands of the systemd units, run and ended as systemd would: scripts live through it."""

import json
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.builders.pages import ROOT, page
from tests.stories import processes
from tests.stories.command_line import CommandLine
from tests.stories.host import free_port
from tests.stories.patience import eventually

pytestmark = pytest.mark.acceptance

END_WITHIN_S = 60.0
DAEMON = '''# /// script
# dependencies = ["kirby"]
# ///
"""Live."""
import time

__version__ = "1.0.0"
while True:
    time.sleep(1)
'''
DOCUMENT = """
[job.liver]
kind = "daemon"
package = "liver==1.0.0"
prod.hosts = "all"
"""


class Units:
    """What systemd would do with the files of `deploy/`, below one folder."""

    def __init__(self, folder: Path, installed: Path) -> None:
        self.folder = folder
        self.state = folder / "state"
        self.kirby = CommandLine(state=self.state)
        self._main: dict[str, subprocess.Popen[bytes]] = {}
        self._paths = {
            "/opt/kirby": str(installed),
            "/var/lib/kirby": str(self.state),
            "/etc/kirby": str(folder / "etc"),
        }
        self._configure()

    def _configure(self) -> None:
        """Write the settings as they are shipped, with ports that are free here."""
        etc = self.folder / "etc"
        etc.mkdir()
        ports = {name: free_port("127.0.0.1") for name in ("9092", "9093", "8642", "8641")}
        text = page("deploy/kirby.toml").replace("#port = ", "port = ").replace("#slots", "slots")
        shipped = {"kirby.toml": text, "kafka-ports.json": page("deploy/kafka-ports.json")}
        for name, content in shipped.items():
            moved = re.sub("|".join(ports), lambda match: str(ports[match[0]]), content)
            (etc / name).write_text(moved.replace("/var/lib/kirby", str(self.state)))

    def start(self, name: str) -> None:
        """Start a unit in a session of its own; of a forking one wait until it has forked."""
        commands = self._commands(name)
        for command in commands.get("ExecStartPre", []):
            subprocess.run(command, check=True)
        with (self.folder / f"{name}.log").open("ab") as log:
            main = subprocess.Popen(
                commands["ExecStart"][0],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.state,
                start_new_session=True,
            )
        if "Type=forking" in page(f"deploy/systemd/{name}.service"):
            assert main.wait(120) == 0
        else:
            self._main[name] = main

    def stop(self, name: str, number: int = signal.SIGTERM) -> None:
        """End the main process of a unit, as KillMode=process does; wait for it."""
        main = self._main.pop(name)
        main.send_signal(number)
        main.wait(END_WITHIN_S)

    def restart(self, name: str, number: int = signal.SIGTERM) -> None:
        """Do both."""
        self.stop(name, number)
        self.start(name)

    def _commands(self, name: str) -> Mapping[str, list[list[str]]]:
        found: dict[str, list[list[str]]] = {}
        for match in re.finditer(r"^(Exec\w+)=(.*)$", page(f"deploy/systemd/{name}.service"), re.M):
            line = match[2]
            for path, here in self._paths.items():
                line = line.replace(path, here)
            found.setdefault(match[1], []).append(shlex.split(line))
        return found

    # -- what is seen

    def instance(self) -> tuple[str, int] | None:
        """Return the daemon's instance with its pid, where the shim holds one."""
        said = self.kirby("status", "--json")
        scripts = json.loads(said.out).get("scripts", []) if said.code == 0 else []
        return next(((each["run"], each["pid"]) for each in scripts), None)

    def told(self) -> Any:
        """Return how the pages tell of the daemon."""
        said = self.kirby("daemons", "--json")
        return json.loads(said.out).get("daemons", []) if said.code == 0 else []

    def clean_up(self) -> None:
        """Leave no process behind."""
        processes.kill_all_of(self.state)
        for main in self._main.values():
            main.wait(END_WITHIN_S)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install Kirby as the page about systemd says, only with uv, which is quicker than pip."""
    folder = tmp_path_factory.mktemp("opt") / "kirby"
    uv, python = Path(sys.executable).with_name("uv"), folder / "bin" / "python"
    subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, folder], check=True)
    wanted = f"{ROOT}[server,embedded]"
    subprocess.run([uv, "pip", "install", "--quiet", "--python", python, wanted], check=True)
    return folder


@pytest.fixture
def units(tmp_path: Path, installed: Path) -> Iterator[Units]:
    units = Units(tmp_path, installed)
    units.state.mkdir(mode=0o700)
    try:
        for name in ("kirby-kafka", "kirby-shim", "kirby-web", "kirby"):
            units.start(name)
        yield units
    finally:
        units.clean_up()


@pytest.mark.timeout(600)
def test_a_daemon_lives_through_the_restart_of_every_unit(units, tmp_path):
    (tmp_path / "liver.py").write_text(DAEMON)
    (tmp_path / "liver.toml").write_text(DOCUMENT)
    eventually(lambda: units.kirby("hosts", "--json").code == 0, what="the web service answers")
    units.kirby("publish", str(tmp_path / "liver.py")).well()
    units.kirby("apply", str(tmp_path / "liver.toml"), "--yes").well()
    living = eventually(units.instance, what="the daemon runs", within_s=120)

    for name, number in [
        ("kirby", signal.SIGTERM),
        ("kirby", signal.SIGKILL),
        ("kirby-web", signal.SIGTERM),
        ("kirby-shim", signal.SIGTERM),
        ("kirby-shim", signal.SIGKILL),
    ]:
        units.restart(name, number)
        found = eventually(
            units.instance,
            what=f"the daemon is held after {name}",
            until=lambda seen: seen == living,
        )
        assert found == living
        assert processes.lives(living[1])

    eventually(
        units.told,
        what="the pages tell of it",
        until=lambda told: (
            bool(told) and told[0]["state"] == "running" and told[0]["restarts"] == 0
        ),
    )

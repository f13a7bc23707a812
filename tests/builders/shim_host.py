"""A state folder with a real shim, for integration tests: started, killed, asked, waited for."""

import compileall
import os
import select
import shutil
import signal
import subprocess
import time
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kirby.core.names import AttemptId, ContextKey, Incarnation
from kirby.core.shipping.output import FRAME
from kirby.core.shipping.run_folder import Entry
from kirby.host import shim_process
from kirby.host.processes import wait_until
from kirby.host.run_folder import RunFolder
from kirby.host.shim_client import ShimClient
from kirby.host.shim_messages import Arm, Stop, Taken
from kirby.host.state import StateFolder

LIMIT_S = 60.0  # a hundred times what any of these takes on an idle machine
START_S = 15.0
SHELL = "/bin/sh"
INCARNATION = Incarnation(7)
GATE = shim_process.PROGRAM.parent


class Host:
    """One host's shim and what is asked of it."""

    def __init__(self, path: Path, *, groups: bool = True) -> None:
        self.folder = StateFolder(path=path)
        self.folder.prepare()
        self.groups = groups
        self.process: subprocess.Popen[bytes] | None = None
        self._client: ShimClient | None = None
        self._runs = 0

    # ---- the shim -------------------------------------------------------------------------------

    def start(self, open_files: int = 0) -> "Host":
        """Start it, with a limit of open files if one is named."""
        command = shim_process.command(self.folder)
        command += [] if self.groups else ["--without-groups"]
        if open_files:
            command = [SHELL, "-c", f'ulimit -n {open_files}; exec "$@"', SHELL, *command]
        self.process = subprocess.Popen(command, start_new_session=True)
        assert wait_until(self._answers, START_S), "the shim does not answer"
        self.client.hello(INCARNATION)
        return self

    def kill(self) -> None:
        """Kill the shim, as nobody should."""
        assert self.process
        self.process.kill()
        self.process.wait()
        self._forget()

    def end(self) -> None:
        """End everything that a test left."""
        if self.process and self.process.poll() is None:
            try:
                self.client.end(with_scripts=True, grace_ms=100)
                self.process.wait(LIMIT_S)
            finally:
                self.process.kill()
        self._forget()

    @property
    def client(self) -> ShimClient:
        if self._client is None:
            self._client = ShimClient(self.folder.shim)
        return self._client

    def _answers(self) -> bool:
        try:
            self.client.holdings()
        except Exception:
            self._forget()
            return False
        return True

    def _forget(self) -> None:
        if self._client:
            self._client.close()
        self._client = None

    # ---- scripts --------------------------------------------------------------------------------

    def arm(self, script: str = "true", **fields: Any) -> Taken:
        """Arm a shell script, due at once."""
        return self.client.arm(self.order(argv=(SHELL, "-c", script), **fields))

    def order(self, **fields: Any) -> Arm:
        self._runs += 1
        defaults: dict[str, Any] = {
            "incarnation": INCARNATION,
            "run": f"pump/prod@{self._runs}",
            "attempt": 1,
            "context": ContextKey("pump/prod"),
            "argv": (SHELL, "-c", "true"),
            "env": {"PATH": os.environ["PATH"]},
            "grace_ms": 500,
            "prestart": False,
        }
        return Arm(**{**defaults, **fields})

    def daemon(self, script: str, job: str = "mill") -> Taken:
        return self.arm(
            script,
            run=f"{job}/prod#alpha",
            attempt=0,
            context=ContextKey(f"{job}/prod"),
            kind="daemon",
        )

    def stop(self, attempt: AttemptId, **fields: Any) -> None:
        request = Stop(incarnation=INCARNATION, run=attempt.run, attempt=attempt.attempt, **fields)
        self.client.stop(request)

    # ---- what became of them --------------------------------------------------------------------

    def folder_of(self, taken: Taken) -> RunFolder:
        return RunFolder(path=Path(taken.folder))

    def steps(self, taken: Taken) -> list[str]:
        return [entry.step for entry in self.folder_of(taken).journal()]

    def step(self, taken: Taken, name: str) -> Entry:
        """Wait for a step, and return it."""
        found: list[Entry] = []

        def look() -> bool:
            found[:] = [one for one in self.folder_of(taken).journal() if one.step == name]
            return bool(found)

        assert wait_until(look, LIMIT_S), f"no {name}: {self.steps(taken)}"
        return found[0]

    def end_of(self, taken: Taken) -> Entry:
        """Wait for the end of an attempt, and return its step."""
        ended = self._until(lambda: self.folder_of(taken).journal()[-1].is_final)
        assert ended, f"it does not end: {self.steps(taken)}"
        return self.folder_of(taken).journal()[-1]

    def output(self, taken: Taken) -> bytes:
        """Return all that was said, without the frames' heads."""
        folder = self.folder_of(taken)
        raw = b"".join(
            (folder.path / f"output.{number:06}").read_bytes() for number in folder.output_files()
        )
        said: list[bytes] = []
        at = 0
        while at < len(raw):
            begin = at + FRAME.size
            at = begin + FRAME.unpack_from(raw, at)[2]
            said.append(raw[begin:at])
        return b"".join(said)

    def said(self, taken: Taken, text: bytes) -> None:
        """Wait until a script has said something."""
        assert self._until(lambda: text in self.output(taken)), self.output(taken)

    def _until(self, what: Callable[[], bool]) -> bool:
        return wait_until(what, LIMIT_S)


def boot_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def in_seconds(seconds: float) -> int:
    """Return an instant of CLOCK_BOOTTIME from now."""
    return boot_ns() + int(seconds * 1e9)


def lives(pid: int) -> bool:
    """Whether a process lives; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def is_gone(pid: int) -> bool:
    return wait_until(lambda: not lives(pid), LIMIT_S)


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def readable(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], LIMIT_S)[0])


def environment(folder: Path, *packages: str) -> Path:
    """Make a virtual environment with the gate and small packages; return its site-packages.

    Each package is `name=source of __main__`.
    """
    venv.create(folder, symlinks=True, with_pip=False)
    site = next(folder.glob("lib/python*/site-packages"))
    install_gate(site)
    for package in packages:
        name, _, source = package.partition("=")
        (site / name).mkdir()
        (site / name / "__init__.py").write_text(f"print('{name} was executed', flush=True)\n")
        (site / name / "__main__.py").write_text(source)
    compileall.compile_dir(site, quiet=1)
    return site


def install_gate(site: Path) -> None:
    """Put the gate where the wheel puts it."""
    shutil.copy(GATE / "gate.py", site / "_kirby_gate.py")
    shutil.copy(GATE / "gate.pth", site / "_kirby_gate.pth")

"""Starts the program of `host_program` and asks it how it is."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import psutil

from kirby.actors import control
from kirby.host.state import StateFolder

ADDRESS = "127.0.0.8"
PATIENCE_S = 60.0


class TestHost:
    """A host in a process of its own."""

    __test__ = False

    def __init__(self, state: Path, *, supervisor: str = "SmallSupervisor") -> None:
        self.folder = StateFolder(path=state)
        self.port = _free_port()
        self.supervisor = supervisor
        self.process: subprocess.Popen[str] | None = None

    def start(self, *, port: int | None = None, env: Mapping[str, str] | None = None) -> None:
        """Start it, without waiting."""
        arguments = (str(self.folder.path), ADDRESS, str(port or self.port), self.supervisor)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.builders.host_program", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(env or {})},
        )

    def started(self, *, env: Mapping[str, str] | None = None) -> "TestHost":
        """Start it and wait until all of its actors answer."""
        self.start(env=env)
        self.wait_for(lambda status: _is_whole(status))
        return self

    def ended(self) -> tuple[int, str]:
        """Wait for its end; return exit code and output."""
        assert self.process is not None
        said, _ = self.process.communicate(timeout=PATIENCE_S)
        return self.process.returncode, said

    def status(self) -> dict[str, Any] | None:
        try:
            answer = next(control.ask(self.folder, {"do": "status"}, within_s=10))
        except (OSError, StopIteration):
            return None
        return cast(dict[str, Any], answer)

    def wait_for(self, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait until its status is as it should be; return that."""
        until = time.monotonic() + PATIENCE_S
        status = None
        while time.monotonic() < until:
            status = self.status()
            if status is not None and what(status):
                return status
            assert self.process is not None
            assert self.process.poll() is None, self.process.communicate()[0]
            time.sleep(0.1)
        raise AssertionError(f"the host did not come to be as it should: {status}")

    def family(self) -> list[psutil.Process]:
        """Return all of its processes that are actors, admin or logger."""
        assert self.process is not None
        me = psutil.Process(self.process.pid)
        return [child for child in me.children(recursive=True) if child.cmdline() == me.cmdline()]

    def clean_up(self) -> None:
        """Leave nothing behind."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for record in ("shim.json", "script.json", "oven.json"):
            with contextlib.suppress(FileNotFoundError):
                pid = int((self.folder.path / record).read_text().split('"pid":')[1].split(",")[0])
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def actor(status: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return what a status says of an actor; empty while it says nothing."""
    actors = (status["supervisor"] or {}).get("actors", [])
    return next((a for a in actors if a["name"] == name and a["state"] == "running"), {})


def _is_whole(status: Mapping[str, Any]) -> bool:
    names = ("runner", "arbiter", "recorder", "scheduler", "watchdog-1", "watchdog-2")
    return all(actor(status, name) for name in names) and bool(status["supervisor"]["leader"])


def _free_port() -> int:
    with contextlib.closing(socket.socket()) as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])

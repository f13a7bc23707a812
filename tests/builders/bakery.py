"""The bakery as plain processes: the shop, and scripts with what Kirby would give them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

ROOT = Path(__file__).parents[2]
BAKERY = ROOT / "examples" / "bakery"
LIMIT_SECONDS = 60


@dataclass
class Shop:
    """The shop's process, and where it listens."""

    process: subprocess.Popen[str]
    url: str

    def close(self) -> None:
        """Ask it to end, and wait."""
        self.process.terminate()
        self.process.wait(LIMIT_SECONDS)

    def kill(self) -> None:
        """End it without a word."""
        self.process.kill()
        self.process.wait(LIMIT_SECONDS)


def open_shop(state: Path, *, day_seconds: float = 2.0, port: int = 0) -> Shop:
    """Start the shop's process; it listens when this returns."""
    command = [sys.executable, str(BAKERY / "shop"), "--state", str(state)]
    process = subprocess.Popen(
        [*command, "--port", str(port), "--day-seconds", str(day_seconds)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    line = process.stdout.readline()
    return Shop(process, line.split()[-1])


@contextmanager
def a_shop(state: Path, *, day_seconds: float = 2.0) -> Iterator[Shop]:
    """Keep the shop open for a test."""
    shop = open_shop(state, day_seconds=day_seconds)
    try:
        yield shop
    finally:
        shop.kill()


@dataclass
class Bakery:
    """Runs the scripts; each has a file for its output."""

    kafka: str
    topic_prefix: str
    shop: str
    output: Path
    _runs: int = 0
    _daemons: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def spawn(self, job: str, *, instance: str = "") -> subprocess.Popen[bytes]:
        """Begin a run, or the life of a daemon's instance."""
        self._runs += 1
        run = instance or f"{job}/prod@2026-05-01T06:00:00Z~{self._runs}"
        with self._file(job) as out:
            return subprocess.Popen(
                [sys.executable, "-m", job],
                env={**self._environment(job), "KIRBY_RUN_ID": run},
                stdout=out,
                stderr=out,
            )

    def run(self, job: str) -> int:
        """Run a scheduled script to its end; return its status."""
        return self.spawn(job).wait(LIMIT_SECONDS)

    def start(self, job: str) -> None:
        """Start a daemon."""
        self._daemons[job] = self.spawn(job, instance=f"{job}/prod#alpha")

    def kill(self, job: str) -> None:
        """End a daemon without a word."""
        self._daemons[job].kill()
        self._daemons.pop(job).wait(LIMIT_SECONDS)

    def stop(self, job: str) -> int:
        """Ask a daemon to end; return its status."""
        self._daemons[job].send_signal(signal.SIGTERM)
        return self._daemons.pop(job).wait(LIMIT_SECONDS)

    def is_alive(self, job: str) -> bool:
        """Whether a daemon runs."""
        return self._daemons[job].poll() is None

    def kill_all(self) -> None:
        """End what is left."""
        for job in list(self._daemons):
            self.kill(job)

    def said(self, job: str) -> str:
        """Return what a script has written so far."""
        path = self.output / f"{job}.log"
        return path.read_text() if path.exists() else ""

    def check(self, wait: float = 30.0) -> tuple[int, str]:
        """Compare profit's numbers with the shop's."""
        command = [sys.executable, str(BAKERY / "check.py"), "--shop", self.shop]
        done = subprocess.run(
            [*command, "--wait", str(wait)], capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def _file(self, job: str) -> IO[bytes]:
        return (self.output / f"{job}.log").open("ab")

    def _environment(self, job: str) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": f"{BAKERY / job}:{ROOT}",
            "SHOP_URL": self.shop,
            "KIRBY_KAFKA": json.dumps({"bootstrap.servers": self.kafka}),
            "KIRBY_TOPIC_PREFIX": self.topic_prefix,
            "KIRBY_GROUP": f"{self.topic_prefix.strip('.')}.{job}",
            "KIRBY_ATTEMPT": "1",
            "KIRBY_FENCING_TOKEN": str(self._runs),
            "KIRBY_PACKAGE": f"{job}==1.0.0",
        }

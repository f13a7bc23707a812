"""A web service as a process of its own, and what stands in the log for it to read."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from kirby.core.names import ContextKey, run_id
from kirby.core.records import AnyRecord, TopicName
from kirby.host.state import StateFolder
from kirby.kafka.events import Posted
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.poster import Poster
from kirby.kafka.settings import KafkaSettings
from tests.builders.records import an_ended, an_exited, an_offered

PATIENCE_S = 40.0
BEGAN = datetime.now(UTC).replace(microsecond=0)
PUMP = {"job": {"pump": {"package": "pump==1.0", "prod": {"schedule": "*/10 * * * *"}}}}


@dataclass(kw_only=True)
class WebService:
    """The process, and a way to ask it."""

    folder: StateFolder
    config: Path
    database: str = ""
    process: subprocess.Popen[bytes] | None = None
    log: Any = field(default=None)

    def start(self) -> None:
        self.log = (self.folder.path / "web.log").open("ab")
        command = [sys.executable, "-m", "kirby.web", "--state", str(self.folder.path)]
        self.process = subprocess.Popen(
            [*command, "--config", str(self.config)],
            stdout=self.log,
            stderr=self.log,
            env={**os.environ, **({"KIRBY_DATABASE": self.database} if self.database else {})},
        )
        self.wait_for(lambda: self.get("/ready").json()["ok"])

    def end(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)

    @property
    def token(self) -> dict[str, str]:
        found: dict[str, str] = json.loads(self.folder.token.read_text())
        return found

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self._ask("GET", path, params=query)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self._ask("POST", path, json=body or {})

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token['token']}"}
        return httpx.request(
            method, self.token["url"] + path, headers=headers, timeout=30, **options
        )

    def wait_for(self, what: Callable[[], Any]) -> Any:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                if found := what():
                    return found
            except (OSError, httpx.HTTPError, KeyError, ValueError):
                pass
            assert time.monotonic() < until, (self.folder.path / "web.log").read_text()
            time.sleep(0.1)


def post(settings: KafkaSettings, *records: tuple[TopicName, str, AnyRecord]) -> list[Posted]:
    mailbox: Mailbox[Any] = Mailbox()
    poster = Poster(settings, mailbox)
    for number, (topic, key, record) in enumerate(records):
        poster.post(topic, key, record, tag=number)
    poster.close()
    posted = mailbox.drain()
    mailbox.close()
    in_order = {each.tag: each for each in posted if isinstance(each, Posted)}
    return [in_order[number] for number in range(len(records))]


def a_run(number: int) -> str:
    return run_id(ContextKey("pump/prod"), BEGAN - timedelta(minutes=number))


def run_records(number: int) -> list[tuple[TopicName, str, AnyRecord]]:
    run: Any = a_run(number)
    told: list[AnyRecord] = [an_offered(run=run), an_exited(run=run), an_ended(run=run)]
    return [(TopicName.RUNS, run, record) for record in told]


def config_of(settings: KafkaSettings, path: Path) -> Path:
    """Write the settings of a web service on a free port."""
    path.write_text(
        f'[kafka]\nbootstrap = "{settings.bootstrap}"\ntopic_prefix = "{settings.prefix}"\n'
        'replication = 1\n[web]\nlisten = "127.0.0.1:0"\n'
    )
    return path

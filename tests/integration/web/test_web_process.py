"""The web service as a process of its own, in front of a real Kafka."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kirby.core.errors import ExitCode
from kirby.core.names import Host
from kirby.core.records import AnyRecord, Line, Lines, Logged, RunRequest, Stream, TopicName
from kirby.host.state import StateFolder
from kirby.kafka.events import Delivered
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.making import ensure_topics
from kirby.kafka.range_reader import RangeReader, Span
from kirby.kafka.reader import Reader
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Beginning
from kirby.model.database import bind, connect
from kirby.model.migrations import LATEST, MIGRATIONS, Migration, upgrade
from tests.builders.records import a_heartbeat, of_step
from tests.builders.web_process import (
    PATIENCE_S,
    PUMP,
    WebService,
    a_run,
    config_of,
    post,
    run_records,
)

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(kafka: str, topic_prefix: str) -> KafkaSettings:
    found = KafkaSettings(bootstrap=kafka, prefix=topic_prefix)
    ensure_topics(found)
    return found


@pytest.fixture
def web(settings: KafkaSettings, tmp_path: Path) -> Iterator[WebService]:
    folder = StateFolder(path=tmp_path / "state")
    folder.prepare()
    config = config_of(settings, tmp_path / "kirby.toml")
    service = WebService(folder=folder, config=config)
    try:
        yield service
    finally:
        if service.process is not None:
            service.process.kill()
            service.process.wait()


def test_it_answers_with_the_token_that_it_left_and_ends_at_sigterm(web: WebService) -> None:
    web.start()

    assert web.get("/jobs").status_code == 200
    assert web.folder.token.stat().st_mode & 0o077 == 0
    assert web.end() == 0


def test_a_second_one_on_the_same_state_folder_is_refused(web: WebService) -> None:
    web.start()

    second = subprocess.run(
        [sys.executable, "-m", "kirby.web", "--state", str(web.folder.path), "--config",
         str(web.config)], capture_output=True, timeout=PATIENCE_S, check=False, text=True,
    )  # fmt: skip

    assert second.returncode == ExitCode.CONFLICT
    assert "another web service uses" in second.stderr
    assert "Traceback" not in second.stderr


def test_a_database_of_a_later_kirby_is_refused_with_its_own_exit_code(web: WebService) -> None:
    web.folder.web.mkdir()
    bind(connect(f"sqlite:///{web.folder.web / 'kirby.db'}"))
    upgrade([*MIGRATIONS, Migration(number=LATEST + 1, statements=[])])

    refused = subprocess.run(
        [sys.executable, "-m", "kirby.web", "--state", str(web.folder.path), "--config",
         str(web.config)], capture_output=True, timeout=PATIENCE_S, check=False, text=True,
    )  # fmt: skip

    assert refused.returncode == ExitCode.DATABASE_NEWER
    assert "made by a later Kirby" in refused.stderr


def test_what_happens_is_seen_also_what_happened_while_it_was_killed(
    web: WebService, settings: KafkaSettings
) -> None:
    web.start()
    post(settings, *run_records(1), (TopicName.HOSTS, "alpha", a_heartbeat()))
    web.wait_for(lambda: [r for r in web.get("/runs").json()["runs"] if r["end"]])

    web.end(signal.SIGKILL)
    post(settings, *run_records(2), *run_records(3))
    web.start()

    runs = web.wait_for(
        lambda: (
            len(found := web.get("/runs").json()["runs"]) == 3
            and all(run["end"] == "succeeded" for run in found)
            and found
        )
    )
    assert [run["attempts"] for run in runs] == [1, 1, 1]
    assert web.get("/hosts").json()["hosts"][0]["host"] == "alpha"


def test_a_run_that_is_asked_for_stands_in_the_log_of_requests(
    web: WebService, settings: KafkaSettings
) -> None:
    web.start()
    applied = web.post("/document/apply", {"document": {**PUMP, "job": _published(web)}})
    assert applied.status_code == 200, applied.text

    asked = web.post("/contexts/pump/prod/run").json()["run"]

    request = next(iter(_read(settings, TopicName.REQUESTS)))
    assert isinstance(request, RunRequest)
    assert (request.run, request.context) == (asked, "pump/prod")


def _published(web: WebService) -> Any:
    """Put a file into the index's database, so that the package is one that there is."""
    from kirby.model.database import connection
    from kirby.model.package_files import keep_package

    bind(connect(f"sqlite:///{web.folder.web / 'kirby.db'}"))
    with connection():
        keep_package("pump-1.0.tar.gz", "pump", "1.0", b"x", "test", datetime.now(UTC))
    return PUMP["job"]


def _read(settings: KafkaSettings, topic: TopicName) -> list[AnyRecord]:
    mailbox: Mailbox[Any] = Mailbox()
    reader = Reader(settings, {topic: Beginning()}, mailbox)
    found: list[AnyRecord] = []
    until = time.monotonic() + PATIENCE_S
    while not found and time.monotonic() < until:
        time.sleep(0.1)
        events = [each for each in mailbox.drain() if isinstance(each, Delivered)]
        found += [each.record for each in events if each.record is not None]
    reader.close()
    mailbox.close()
    return found


def lines(run: str, first: int, *texts: str) -> Lines:
    return Lines(
        run=run,
        attempt=1,
        host=Host("alpha"),
        first=first,
        lines=tuple(Line(at=datetime.now(UTC), stream=Stream.OUT, text=text) for text in texts),
    )


def test_a_log_is_found_among_those_of_others(web: WebService, settings: KafkaSettings) -> None:
    web.start()
    run, other = a_run(1), a_run(2)
    batches = []
    for at in range(30):
        batches.append((TopicName.LOGS, run, lines(run, at * 2, f"mine {at}", f"and {at}")))
        batches.append((TopicName.LOGS, other, lines(other, at, f"other {at}")))
    posted = post(settings, *batches)[::2]
    partition = posted[0].partition
    logged = Logged(
        **of_step(run=run), partition=partition, first_offset=posted[0].offset,
        last_offset=posted[-1].offset, lines=60,
    )  # fmt: skip
    post(settings, (TopicName.RUNS, run, logged), *run_records(1))
    web.wait_for(lambda: web.get(f"/runs/{run}").json()["end"])

    answer = web.get(f"/runs/{run}/log").json()
    rest = web.get(f"/runs/{run}/log", after=58).json()

    assert [line["n"] for line in answer["lines"]] == list(range(60))
    assert answer["ended"]
    assert [line["text"] for line in rest["lines"]] == ["mine 29", "and 29"]


def test_a_range_is_read_from_end_to_end_and_no_further(settings: KafkaSettings) -> None:
    run = a_run(1)
    posted = post(settings, *[(TopicName.LOGS, run, lines(run, at, str(at))) for at in range(9)])
    offsets = [each.offset for each in posted]
    reader = RangeReader(settings)

    some = reader.read(
        TopicName.LOGS,
        {posted[0].partition: Span(first=offsets[2], last=offsets[5])},
        lambda _record: True,
        lambda: False,
    )
    to_the_end = reader.read(
        TopicName.LOGS, {posted[0].partition: Span(first=offsets[7])}, lambda _: True, lambda: False
    )
    reader.close()

    assert [each.offset for each in some] == offsets[2:6]
    assert [each.offset for each in to_the_end] == offsets[7:]


def test_thirty_askers_at_once_are_all_answered(web: WebService) -> None:
    from concurrent.futures import ThreadPoolExecutor

    web.start()
    with ThreadPoolExecutor(30) as pool:
        answers = list(pool.map(lambda _: web.get("/jobs").status_code, range(120)))

    assert set(answers) == {200}


def test_connections_that_say_nothing_hold_nobody_up(web: WebService) -> None:
    web.start()
    host, _, port = web.token["url"].removeprefix("http://").rstrip("/").rpartition(":")

    with contextlib.ExitStack() as stack:
        for said in [b""] * 100 + [b"GET /health HTTP/1.1\r\nHost: kirby\r\n"] * 100:
            client = socket.create_connection((host, int(port)), PATIENCE_S)
            stack.enter_context(client).sendall(said)
        answers = [web.get("/health").status_code for _ in range(20)]

    assert answers == [200] * 20


def test_no_process_and_no_thread_stays_behind(web: WebService) -> None:
    web.start()
    assert web.process is not None
    pid = web.process.pid

    web.end()

    assert not os.path.exists(f"/proc/{pid}")  # noqa: PTH110 - a process, no file

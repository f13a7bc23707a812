"""Scripts as processes of their own, with a real Kafka: killed, stopped, cut off."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from kirby.script.confluent import Confluent
from kirby.script.ports import Beginning, Received
from tests.builders.script_client_contract import read, write

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parents[3]
LIMIT_SECONDS = 60
NOBODY = "127.0.0.1:1"  # nothing listens on this port


class Scripts:
    """Writes scripts into files and runs them as Kirby would."""

    def __init__(self, kafka: str, prefix: str, folder: Path) -> None:
        self.kafka = kafka
        self.prefix = prefix
        self.folder = folder
        self.client = Confluent({"bootstrap.servers": kafka})
        self._begun: list[subprocess.Popen[str]] = []

    def begin(self, source: str, **environment: str) -> subprocess.Popen[str]:
        path = self.folder / f"script{len(self._begun)}.py"
        path.write_text(textwrap.dedent(source))
        process = subprocess.Popen(
            [sys.executable, str(path)],
            env={**self._environment(), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._begun.append(process)
        return process

    def run(self, source: str, **environment: str) -> tuple[int, str, str]:
        process = self.begin(source, **environment)
        out, err = process.communicate(timeout=LIMIT_SECONDS)
        return process.returncode, out, err

    def fill(self, topic: str, count: int, *, first: int = 0) -> None:
        assert write(self.client, self.prefix + topic, count, first=first) == [""] * count

    def records(self, topic: str, count: int) -> list[Received]:
        return read(self.client.outside(self.prefix + topic, Beginning()), count)

    def end(self) -> None:
        for process in self._begun:
            process.kill()
            process.communicate()

    def _environment(self) -> dict[str, str]:
        return {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "KIRBY_KAFKA": json.dumps({"bootstrap.servers": self.kafka}),
            "KIRBY_TOPIC_PREFIX": self.prefix,
            "KIRBY_GROUP": f"{self.prefix}group",
            "KIRBY_RUN_ID": "pump/prod@2026-05-01T06:00:00Z",
            "KIRBY_ATTEMPT": "2",
            "KIRBY_PACKAGE": "pump==1.4.0",
        }


@pytest.fixture
def scripts(kafka: str, topic_prefix: str, tmp_path: Path) -> Iterator[Scripts]:
    scripts = Scripts(kafka, topic_prefix, tmp_path)
    yield scripts
    scripts.end()


def eventually(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + LIMIT_SECONDS
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


COPY = """
    from kirby import Topic

    print("begun", flush=True)
    with Topic("sales") as sales, Topic("copies") as copies:
        for record in sales:
            copies.send(record.value, key=record.key)
            print(record.value, flush=True)
    print("after the loop", flush=True)
"""


def test_a_daemon_that_is_asked_to_stop_delivers_and_ends_with_0(scripts: Scripts) -> None:
    scripts.fill("sales", 20)
    daemon = scripts.begin(COPY)
    assert daemon.stdout is not None
    for _ in range(21):
        daemon.stdout.readline()

    daemon.send_signal(signal.SIGTERM)
    out, err = daemon.communicate(timeout=LIMIT_SECONDS)

    assert (daemon.returncode, out, err) == (0, "after the loop\n", "")
    copies = scripts.records("copies", 20)
    assert sorted(int(record.value or b"") for record in copies) == list(range(20))
    headers = dict(copies[0].headers)
    assert headers["kirby-run"] == b"pump/prod@2026-05-01T06:00:00Z"
    assert headers["kirby-attempt"] == b"2"
    assert headers["kirby-script"] == b"pump==1.4.0"
    assert (headers["kirby-from"] or b"").startswith(f"{scripts.prefix}sales/".encode())


def test_a_daemon_that_was_stopped_goes_on_after_its_last_record(scripts: Scripts) -> None:
    scripts.fill("sales", 5)
    first = scripts.begin(COPY)
    assert first.stdout is not None
    for _ in range(6):
        first.stdout.readline()
    first.send_signal(signal.SIGTERM)
    first.communicate(timeout=LIMIT_SECONDS)

    scripts.fill("sales", 1, first=5)
    second = scripts.begin(COPY)
    assert second.stdout is not None

    assert [second.stdout.readline() for _ in range(2)] == ["begun\n", "5\n"]


def test_a_daemon_that_is_killed_loses_nothing(scripts: Scripts) -> None:
    scripts.fill("sales", 300)
    killed = scripts.begin(COPY)
    assert killed.stdout is not None
    for _ in range(100):
        killed.stdout.readline()
    killed.kill()
    killed.wait(LIMIT_SECONDS)

    scripts.begin(COPY)
    seen: set[int] = set()
    reading = scripts.client.outside(f"{scripts.prefix}copies", Beginning())

    def all_are_there() -> bool:
        while (received := reading.poll(0.1)) is not None:
            seen.add(int(received.value or b""))
        return len(seen) == 300

    eventually(all_are_there)


def test_a_daemon_started_again_after_a_kill_has_its_partitions_back_at_once(
    scripts: Scripts,
) -> None:
    scripts.fill("sales", 1)
    long_session = json.dumps(
        {"bootstrap.servers": scripts.kafka, "session.timeout.ms": "120000"}  # over our limit
    )
    killed = scripts.begin(COPY, KIRBY_RUN_ID="pump/prod#alpha", KIRBY_KAFKA=long_session)
    assert killed.stdout is not None
    for _ in range(2):
        killed.stdout.readline()
    killed.kill()
    killed.wait(LIMIT_SECONDS)

    again = scripts.begin(COPY, KIRBY_RUN_ID="pump/prod#alpha", KIRBY_KAFKA=long_session)
    assert again.stdout is not None

    assert [again.stdout.readline() for _ in range(2)] == ["begun\n", "0\n"]


def test_a_slow_script_keeps_its_place_in_the_group(scripts: Scripts) -> None:
    scripts.fill("sales", 2)

    status, out, err = scripts.run(
        """
        import time
        from kirby import Topic

        with Topic("sales") as sales:
            first = sales.next(5)
            time.sleep(12)  # twice the time after which this group throws a member out
            second = sales.next(5)
        with Topic("sales") as sales:
            print(sorted([first.value, second.value]), sales.next(1))
        """,
        KIRBY_KAFKA=json.dumps(
            {
                "bootstrap.servers": scripts.kafka,
                "max.poll.interval.ms": "6000",
                "session.timeout.ms": "6000",
            }
        ),
    )

    assert (status, out, err) == (0, "[0, 1] None\n", "")


def test_without_kafka_a_script_fails_with_a_sentence_and_little_noise(scripts: Scripts) -> None:
    status, _, err = scripts.run(
        """
        import kirby.script.confluent
        from kirby import Topic

        kirby.script.confluent.ANSWER_LIMIT_SECONDS = 3.0
        with Topic("sales") as sales:
            sales.send(1)
        """,
        KIRBY_KAFKA=json.dumps({"bootstrap.servers": NOBODY}),
    )

    assert status == 1
    assert "Kafka does not answer" in err.splitlines()[-1]
    assert len(err.splitlines()) < 40


def test_a_topic_left_open_is_delivered_at_the_end_all_the_same(scripts: Scripts) -> None:
    status, _, err = scripts.run('from kirby import Topic; Topic("sales").send(7)')

    assert (status, err) == (0, "")
    assert [record.value for record in scripts.records("sales", 1)] == [b"7"]


def test_a_topic_left_open_whose_records_did_not_arrive_ends_the_script_with_1(
    scripts: Scripts,
) -> None:
    status, _, err = scripts.run(
        """
        from kirby import Topic

        Topic("sales").send("x" * 900_000)
        """,
        KIRBY_KAFKA=json.dumps({"bootstrap.servers": scripts.kafka, "message.max.bytes": "1000"}),
    )

    assert status == 1
    assert "1 record was not delivered to topic" in err


def test_a_script_that_only_sends_delivers_before_it_is_stopped(scripts: Scripts) -> None:
    sending = scripts.begin(
        """
        import time
        from kirby import Topic

        with Topic("sales") as sales:
            for number in range(1000):
                sales.send(number)
            print("sent", flush=True)
            time.sleep(600)
        """
    )
    assert sending.stdout is not None
    sending.stdout.readline()

    sending.send_signal(signal.SIGTERM)
    status = sending.wait(LIMIT_SECONDS)

    assert status == 143
    assert len(scripts.records("sales", 1000)) == 1000


def test_a_fork_of_the_script_leaves_the_topics_to_its_parent(scripts: Scripts) -> None:
    scripts.fill("sales", 2)

    status, out, err = scripts.run(
        """
        import os, sys
        from kirby import Topic

        with Topic("sales") as sales, Topic("copies") as copies:
            copies.send(sales.next(5).value)
            child = os.fork()
            if child == 0:
                sys.exit(3)
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            copies.send(sales.next(5).value)
        """
    )

    assert (status, out, err) == (0, "3\n", "")
    assert len(scripts.records("copies", 2)) == 2


def test_a_script_without_kirby_runs_as_well(scripts: Scripts) -> None:
    assert scripts.run("print('hello')") == (0, "hello\n", "")


def test_what_a_script_reads_and_writes_reaches_the_web_service(scripts: Scripts) -> None:
    told: list[tuple[str, str | None, Any]] = []

    class Service(BaseHTTPRequestHandler):
        def do_PATCH(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.append((self.path, self.headers["Authorization"], body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_args: Any) -> None:
            pass

    service = HTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=service.serve_forever, daemon=True).start()
    scripts.fill("sales", 1)

    status, _, err = scripts.run(
        """
        from kirby import Topic

        with Topic("sales") as sales, Topic("copies") as copies:
            copies.send(sales.next(5).value)
        """,
        KIRBY_URL=f"http://127.0.0.1:{service.server_port}/",
        KIRBY_TOKEN="kby_run",
        http_proxy="http://127.0.0.1:1",
    )
    service.shutdown()
    service.server_close()

    assert (status, err) == (0, "")
    path, authorization, body = told[-1]
    assert (path, authorization) == ("/registration", "Bearer kby_run")
    assert body == {
        "run": "pump/prod@2026-05-01T06:00:00Z",
        "sources": [{"kind": "topic", "name": f"{scripts.prefix}sales"}],
        "destinations": [{"kind": "topic", "name": f"{scripts.prefix}copies"}],
    }


def test_the_log_of_a_script_and_its_threads_comes_in_whole_lines(scripts: Scripts) -> None:
    read_end, write_end = os.pipe()
    source = """
        from threading import Thread
        from kirby import log

        def talk(name):
            for number in range(200):
                log.info("x" * (number * 30), thread=name, number=number)

        threads = [Thread(target=talk, args=(name,)) for name in "abcd"]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
    """
    path = scripts.folder / "talking.py"
    path.write_text(textwrap.dedent(source))
    process = subprocess.Popen(
        [sys.executable, str(path)],
        env={**os.environ, "PYTHONPATH": str(ROOT), "KIRBY_LOG_FD": str(write_end)},
        pass_fds=[write_end],
    )
    os.close(write_end)
    with os.fdopen(read_end, "rb") as pipe:
        lines = [json.loads(line) for line in pipe]

    assert process.wait(LIMIT_SECONDS) == 0
    assert len(lines) == 800
    assert sum(line.get("cut", False) for line in lines) > 0

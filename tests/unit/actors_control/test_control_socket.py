"""How the command line and the start process speak, and how a status reads."""

import socket
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from kirby.actors import control
from kirby.actors.control import Control
from kirby.actors.status import lines_of
from kirby.host.processes import wait_until
from kirby.host.state import StateFolder

DEEP = "a-folder-with-a-name-as-long-as-people-like-them-to-be" * 2


@pytest.fixture
def folder(tmp_path: Path) -> StateFolder:
    folder = StateFolder(path=tmp_path / DEEP)
    folder.path.mkdir()
    return folder


@pytest.fixture
def listening(folder: StateFolder) -> Iterator[Control]:
    made = Control(folder)
    yield made
    made.close()


def answer_once(listening: Control, *answers: dict[str, Any]) -> list[Any]:
    """Answer whoever comes, in a thread; return where the request will be found."""
    asked: list[Any] = []

    def serve() -> None:
        listening._socket.setblocking(True)
        accepted = listening.accept()
        if accepted is None:
            asked.append(None)
            return
        request, answering = accepted
        asked.append(request)
        for line in answers:
            answering.say(line)
        answering.end()

    threading.Thread(target=serve, daemon=True).start()
    return asked


def test_a_question_is_answered_line_by_line_however_deep_the_folder(
    folder: StateFolder, listening: Control
) -> None:
    asked = answer_once(listening, {"say": "one"}, {"done": True})

    answers = list(control.ask(folder, {"do": "stop"}, within_s=5))

    assert asked == [{"do": "stop"}]
    assert answers == [{"say": "one"}, {"done": True}]


def test_only_the_owner_may_connect(folder: StateFolder, listening: Control) -> None:
    assert (folder.path / "control").stat().st_mode & 0o777 == 0o600


def test_nonsense_is_not_answered(folder: StateFolder, listening: Control) -> None:
    asked = answer_once(listening)
    link = socket.socket(socket.AF_UNIX)
    with control._short(folder.path / "control") as short:
        link.connect(short)

    link.sendall(b"[1, 2\n")

    assert link.recv(10) == b""
    link.close()
    assert wait_until(lambda: asked == [None], 5)


def test_one_who_asks_and_leaves_does_no_harm(folder: StateFolder, listening: Control) -> None:
    asked = answer_once(listening, {"say": "x" * 100_000}, {"done": True})
    answers = control.ask(folder, {"do": "stop"}, within_s=5)

    next(answers)
    answers.close()  # type: ignore[attr-defined]

    assert asked == [{"do": "stop"}]


def test_where_nobody_listens_it_is_told_at_once(folder: StateFolder) -> None:
    Control(folder).close()

    with pytest.raises(FileNotFoundError):
        next(control.ask(folder, {"do": "status"}, within_s=5))


def test_a_status_shows_what_runs_with_its_pid_and_what_does_not() -> None:
    status: dict[str, Any] = {
        "host": "oven",
        "address": "10.0.0.7",
        "port": 8641,
        "since": "2026-03-01T08:00:00+00:00",
        "state": "/srv/kirby",
        "pid": 10,
        "admin_pid": 11,
        "services": [
            {
                "name": "Kafka",
                "pid": None,
                "mending": {
                    "since": "2026-03-01T09:14:11+00:00",
                    "tries": 3,
                    "because": "the oven is cold",
                },
            },
            {"name": "shim", "pid": 12, "mending": None},
            {"name": "web service", "pid": None, "mending": None},
        ],
        "supervisor": {
            "pid": 13,
            "leader": "oven",
            "epoch": 7,
            "stance": "leading",
            "peers": {
                "mill": {"heard_seconds_ago": 0.4, "stance": "following"},
                "shop": {"heard_seconds_ago": None, "stance": None},
            },
            "actors": [
                {"name": "runner", "pid": 14, "state": "running", "recreated": 2},
                {"name": "arbiter", "pid": 15, "state": "does not answer", "recreated": 0},
            ],
        },
        "scripts": [{"run": "pump/prod#oven", "pid": 16}],
    }

    lines = list(lines_of(status))

    assert "leader  oven, epoch 7" in lines
    assert "host  mill  following, heard 0.4 s ago" in lines
    assert "host  shop  not heard" in lines
    since = datetime(2026, 3, 1, 9, 14, 11, tzinfo=UTC).astimezone()
    told = f"being restarted since {since:%H:%M:%S}, third try, because the oven is cold"
    assert f"  Kafka              {told}" in lines
    assert "  web service        not running" in lines
    assert "  runner             pid 14  created anew 2 times" in lines
    assert "  arbiter            pid 15  does not answer" in lines
    assert "  pump/prod#oven     pid 16" in lines

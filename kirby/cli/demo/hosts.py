"""The hosts of the demo: the first runs Kafka and the web service, further ones join it."""

import shutil
import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from kirby.actors import control, system
from kirby.cli.connecting import service_of
from kirby.cli.demo.alone import ends_with_me, wait_for_the_last_host
from kirby.cli.demo.ports import LOOPBACK, free_port
from kirby.cli.demo.stages import Stages
from kirby.core.errors import KirbyError, ServiceFailed, ServiceUnreachable
from kirby.host.state import StateFolder

ACTOR_PORT, WEB_PORT = 8641, 8642
PORTS_APART = 10  # of one host from the next
READY_WITHIN_S = 90.0  # on an idle machine it takes three
LOOK_SECONDS = 0.3
ANSWER_WITHIN_S = 5.0

Running = subprocess.Popen[bytes]


@contextmanager
def first_host(folder: StateFolder, stages: Stages) -> Iterator[str]:
    """Run the first host while the demo lasts; yield where its actors are."""
    port = free_port(ACTOR_PORT, folder.path / "port")
    flags = ["--port", str(port)]
    flags += ["--web-listen", f"{LOOPBACK}:{free_port(WEB_PORT, folder.path / 'web-port')}"]
    host = _start(folder, flags)
    try:
        with stages.stage("host, shim, web service"):
            _wait_until(lambda: _is_ready(folder), folder, host)
        yield f"{LOOPBACK}:{port}"
    finally:
        with stages.stage("everything stopped"):
            _stop(folder, host)


@contextmanager
def further_hosts(
    first: StateFolder, meeting_place: str, count: int, stages: Stages
) -> Iterator[None]:
    """Run so many hosts beside the first, each in a state folder of its own below the first's."""
    with ExitStack() as running:
        hosts = [_beside(first, meeting_place, number, running) for number in range(count)]
        if hosts:
            with stages.stage(f"{count + 1} hosts have met"):
                for folder, host in hosts:
                    _wait_until(partial(_has_met, folder, count), folder, host)
        yield


def _beside(
    first: StateFolder, meeting_place: str, number: int, running: ExitStack
) -> tuple[StateFolder, Running]:
    """Start one more host, which ends with `running`."""
    name = f"host-{number + 2}"
    folder = StateFolder(path=first.path / "hosts" / name)
    folder.prepare()
    shutil.copy(first.key, folder.key)
    port = free_port(ACTOR_PORT + PORTS_APART * (number + 1), folder.path / "port")
    flags = ["--name", name, "--port", str(port), "--convention-leader", meeting_place]
    host = _start(folder, flags)
    running.callback(_stop, folder, host)
    return folder, host


def _start(folder: StateFolder, flags: Sequence[str]) -> Running:
    wait_for_the_last_host(folder)
    command = [*(sys.executable, "-m", "kirby.cli.main", "start", "--state", str(folder.path))]
    with _said_by(folder).open("ab") as log:
        # A session of its own: Ctrl-C is for this command, which then stops the host in order.
        return subprocess.Popen(
            [*command, *flags],
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=ends_with_me(),
        )


def _said_by(folder: StateFolder) -> Path:
    return folder.log / "host.log"


def _wait_until(what: Callable[[], bool], folder: StateFolder, host: Running) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while True:
        if host.poll() is not None:
            last = _said_by(folder).read_text(errors="replace").strip().splitlines()
            raise ServiceFailed(f"the host did not start: {last[-1] if last else 'no reason told'}")
        try:
            if what():
                return
        except KirbyError as fault:
            if time.monotonic() > deadline:
                raise ServiceUnreachable(f"the web service does not come up: {fault}") from fault
        if time.monotonic() > deadline + ANSWER_WITHIN_S:
            raise ServiceFailed(f"the host does not come up: see {folder.log}")
        time.sleep(LOOK_SECONDS)


def _is_ready(folder: StateFolder) -> bool:
    given = Namespace(state=str(folder.path))
    return folder.token.exists() and bool(service_of(given, {}).get("/ready")["ok"])


def _has_met(folder: StateFolder, others: int) -> bool:
    with suppress(OSError, StopIteration):
        asked = {"do": "status"}
        status: dict[str, Any] = next(control.ask(folder, asked, within_s=ANSWER_WITHIN_S))
        peers = (status["supervisor"] or {}).get("peers", {})
        return sum(peer["stance"] is not None for peer in peers.values()) >= others
    return False


def _stop(folder: StateFolder, host: Running) -> None:
    if host.poll() is None:
        system.stop(folder, lambda line: None, with_scripts=True)
    host.wait()

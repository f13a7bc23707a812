"""`demo`: everything on this machine, from one command, until Ctrl-C."""

import subprocess
import sys
import time
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kirby.actors import system
from kirby.cli.connecting import service_of
from kirby.cli.demo.bakery import apply_document, bakery_folder, open_shop, publish_all
from kirby.cli.demo.happenings import Happenings
from kirby.cli.demo.ports import free_port
from kirby.cli.demo.stages import Stages
from kirby.cli.terminal import Terminal
from kirby.core.errors import ExitCode, KirbyError, ServiceFailed, ServiceUnreachable
from kirby.host.state import LOCAL_FOLDER, StateFolder
from kirby.kafka import embedded

ACTOR_PORT, WEB_PORT = 8641, 8642
READY_WITHIN_S = 90.0  # on an idle machine it takes three
LOOK_SECONDS = 0.3
NEWS_SECONDS = 1.0


def demo(given: Namespace, terminal: Terminal) -> ExitCode:
    """Start everything, publish, apply, and tell what happens."""
    bakery = bakery_folder()
    given.state = given.state or str(Path.cwd() / LOCAL_FOLDER)
    folder = StateFolder(path=Path(given.state).absolute())
    folder.prepare()
    shop_state = folder.path / "bakery"
    shop_state.mkdir(exist_ok=True)
    stages = Stages(terminal)
    embedded.ensure(folder.kafka, stages.kafka)
    with _host(folder, stages), open_shop(bakery, shop_state) as shop_url:
        service = service_of(given)
        with stages.stage("5 packages published, 5 jobs applied"):
            publish_all(bakery, service)
            apply_document(bakery, service, shop_url)
        link = service.post("/sign-in", {})["path"]
        terminal.say(f"pages  {service.url.rstrip('/')}{link}   (good once)")
        terminal.say(f"shop   {shop_url}   token  {folder.token}   Ctrl-C stops everything\n")
        _tell_until_interrupted(Happenings(service=service), terminal)
    terminal.say("\nstopped; a second 'make demo' goes on from here")
    return ExitCode.OK


@contextmanager
def _host(folder: StateFolder, stages: Stages) -> Iterator[None]:
    """Run a host beside this command; end it with all its scripts."""
    command = [
        *(sys.executable, "-m", "kirby.cli.main", "start", "--state", str(folder.path)),
        *("--port", str(free_port(ACTOR_PORT, folder.path / "port"))),
        *("--web-listen", f"127.0.0.1:{free_port(WEB_PORT, folder.path / 'web-port')}"),
    ]
    with (folder.log / "host.log").open("ab") as log:
        # A session of its own: Ctrl-C is for this command, which then stops the host in order.
        host = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        with stages.stage("host, shim, web service"):
            _wait_until_ready(folder, host)
        yield
    finally:
        with stages.stage("everything stopped"):
            _stop(folder, host)


def _wait_until_ready(folder: StateFolder, host: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    given = Namespace(state=str(folder.path))
    while True:
        if host.poll() is not None:
            last = (folder.log / "host.log").read_text(errors="replace").strip().splitlines()
            raise ServiceFailed(f"the host did not start: {last[-1] if last else 'no reason told'}")
        try:
            if folder.token.exists() and service_of(given, {}).get("/ready")["ok"]:
                return
        except KirbyError as fault:
            if time.monotonic() > deadline:
                raise ServiceUnreachable(f"the web service does not come up: {fault}") from fault
        time.sleep(LOOK_SECONDS)


def _stop(folder: StateFolder, host: "subprocess.Popen[bytes]") -> None:
    if host.poll() is None:
        system.stop(folder, lambda line: None, with_scripts=True)
    host.wait()


def _tell_until_interrupted(happenings: Happenings, terminal: Terminal) -> None:
    trouble = ""
    try:
        while True:
            try:
                for line in happenings.news():
                    terminal.say(line)
                trouble = ""
            except KirbyError as fault:  # it comes back: the start process sees to that
                if str(fault) != trouble:
                    trouble = str(fault)
                    terminal.note(trouble)
            time.sleep(NEWS_SECONDS)
    except KeyboardInterrupt:
        return

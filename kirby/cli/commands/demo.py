"""`demo`: everything on this machine, from one command, until Ctrl-C."""

import time
from argparse import Namespace
from pathlib import Path

from kirby.cli.connecting import service_of
from kirby.cli.demo.alone import only_demo
from kirby.cli.demo.bakery import apply_document, bakery_folder, open_shop, publish_all
from kirby.cli.demo.happenings import Happenings
from kirby.cli.demo.hosts import first_host, further_hosts
from kirby.cli.demo.stages import Stages
from kirby.cli.terminal import Terminal
from kirby.core.errors import ExitCode, KirbyError
from kirby.host.state import LOCAL_FOLDER, StateFolder
from kirby.kafka import embedded

NEWS_SECONDS = 1.0


def demo(given: Namespace, terminal: Terminal) -> ExitCode:
    """Start everything, publish, apply, and tell what happens.

    Raises:
        StateInUse: another demo runs in this folder.
    """
    bakery = bakery_folder()
    given.state = given.state or str(Path.cwd() / LOCAL_FOLDER)
    folder = StateFolder(path=Path(given.state).absolute())
    folder.prepare()
    with only_demo(folder):
        _run(given, terminal, bakery, folder)
    terminal.say("\nstopped; a second 'make demo' goes on from here")
    return ExitCode.OK


def _run(given: Namespace, terminal: Terminal, bakery: Path, folder: StateFolder) -> None:
    shop_state = folder.path / "bakery"
    shop_state.mkdir(exist_ok=True)
    stages = Stages(terminal)
    embedded.ensure(folder.kafka, stages.kafka)
    with (
        first_host(folder, stages) as meeting_place,
        further_hosts(folder, meeting_place, given.hosts - 1, stages),
        open_shop(bakery, shop_state) as shop_url,
    ):
        service = service_of(given)
        with stages.stage("5 packages published, 5 jobs applied"):
            publish_all(bakery, service)
            apply_document(bakery, service, shop_url)
        link = service.post("/sign-in", {})["path"]
        terminal.say(f"pages  {service.url.rstrip('/')}{link}   (good once)")
        terminal.say(f"shop   {shop_url}   token  {folder.token}   Ctrl-C stops everything\n")
        _tell_until_interrupted(Happenings(service=service), terminal)


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

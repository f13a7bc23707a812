"""A host of Kirby in a story: its state folder, its processes, and the person who sits at it."""

import contextlib
import json
import random
import signal
import socket
import subprocess
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import tomli_w

from kirby.actors import control
from kirby.host.state import StateFolder
from tests.stories import anatomy, processes
from tests.stories.command_line import PROGRAM, CommandLine, Said
from tests.stories.jobs import SCRIPTS, Job
from tests.stories.ledger import Ledger
from tests.stories.patience import eventually
from tests.stories.witness import Witness

STATUS_WITHIN_S = 10.0


class Host:
    """One host with a state folder and ports of its own; embedded Kafka unless told otherwise.

    Args:
        folder: where all of it lies; it is made.
        name: of the host.
        address: where it listens.
        slots: scheduled runs at a time.
        flags: further ones of `kirby start`.
        inside: what stands before each command, as `ip netns exec alpha`.
        witness: of all hosts of a story; default: one of its own.
    """

    def __init__(
        self,
        folder: Path,
        *,
        name: str = "alpha",
        address: str = "127.0.0.1",
        slots: int = 64,
        flags: Sequence[str] = (),
        inside: Sequence[str] = (),
        witness: Witness | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = name
        self.state = folder / "state"
        self.address = address
        self.port, self.web_port = free_port(address), free_port(address)
        self.witness = witness or Witness(path=folder / "witness")
        self.kirby = CommandLine(state=self.state, inside=inside)
        self.ledger = Ledger(kirby=self.kirby)
        self._flags = ["--slots", str(slots), *flags]
        self._process: subprocess.Popen[bytes] | None = None

    # -- its life

    def begin(self, *, port: int | None = None) -> None:
        """Start it, without waiting; what it says goes to the file `said`."""
        words = ["start", "--state", str(self.state), "--name", self.name]
        words += ["--address", self.address, "--port", str(port or self.port)]
        words += ["--web-listen", f"{self.address}:{self.web_port}", *self._flags]
        with (self.folder / "said").open("ab") as said:
            self._process = subprocess.Popen(
                [*self.kirby.inside, *PROGRAM, *words],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                cwd=self.folder,
                start_new_session=True,
                env=self.kirby.shell(),
            )

    def start(self) -> "Host":
        """Start it and wait until every part of it runs."""
        self.begin()
        self.is_whole()
        return self

    def stop(self, *words: str) -> Said:
        """Type `kirby stop`; wait until the start process has ended."""
        said = self.kirby("stop", *words).well()
        self.wait_for_the_end()
        return said

    def wait_for_the_end(self) -> int:
        """Wait until the start process has ended; return its exit code."""
        assert self._process is not None
        return self._process.wait(30)

    def interrupt(self, number: int = signal.SIGTERM) -> int:
        """Send the start process a signal; return the exit code with which it ends."""
        assert self._process is not None
        self._process.send_signal(number)
        return self.wait_for_the_end()

    def kill(self, part: str) -> set[int]:
        """Kill all processes of a part at once (`anatomy.pids_of`); return which."""
        pids = anatomy.pids_of(part, self.status())
        assert pids, f"{self.name} has no {part}"
        processes.kill(pids)
        if part == "start process":
            self.wait_for_the_end()
        return pids

    def is_whole(self, *, without: Collection[int] = ()) -> anatomy.Status:
        """Wait until every part runs, and none of some killed processes is named any more."""

        def anew(status: anatomy.Status | None) -> bool:
            assert self._process is None or self._process.poll() is None, self.said
            if status is None or not anatomy.is_whole(status):
                return False
            return anatomy.all_pids(status).isdisjoint(without) and self.kirby.answers("hosts")

        eventually(self.seen, what=f"{self.name} is whole", until=anew, every_s=0.3)
        return self.status()

    def clean_up(self) -> None:
        """Leave no process behind, whatever happened."""
        processes.kill_all_of(self.state)
        if self._process is not None:
            self._process.wait(10)

    # -- what a person does

    def publishes(self, *names: str) -> None:
        """Publish scripts of `tests/stories/scripts`."""
        for name in names:
            self.kirby("publish", str(SCRIPTS / name)).well()

    def applies(self, jobs: Mapping[str, Job], **top: Any) -> Said:
        """Apply a document with these jobs; every script gets the witness."""
        variables = {"WITNESS": str(self.witness.path)}
        return self.applies_document({"job": dict(jobs), "set": variables, **top}).well()

    def applies_document(self, document: Mapping[str, Any], *words: str, **shell: str) -> Said:
        """Apply a whole document; it may be refused."""
        path = self.folder / "story.toml"
        path.write_text(tomli_w.dumps(dict(document)))
        return self.kirby("apply", str(path), "--yes", *words, **shell)

    def runs(self, job: str) -> str:
        """Ask for a run by hand; return its id."""
        run: str = self.kirby.json("run", job)["run"]
        return run

    # -- what is seen

    def status(self) -> anatomy.Status:
        """Return what `kirby status --json` says."""
        status = self.seen()
        assert status is not None, f"{self.name} does not answer"
        return status

    def seen(self) -> anatomy.Status | None:
        """Return the status; None while nobody answers."""
        with contextlib.suppress(OSError, StopIteration):
            asked = {"do": "status"}
            answer: dict[str, Any] = next(
                control.ask(StateFolder(path=self.state), asked, within_s=STATUS_WITHIN_S)
            )
            return answer
        return None

    def kafka(self) -> str:
        """Return where its Kafka listens, once it runs."""
        told: dict[str, Any] = json.loads((self.state / "host.json").read_text())
        return str(told["configuration"]["kafka"])

    @property
    def runs_now(self) -> bool:
        """Whether its start process lives."""
        return self._process is not None and self._process.poll() is None

    @property
    def said(self) -> str:
        """Return what the start process has said."""
        return (self.folder / "said").read_text()

    def log(self) -> str:
        """Return what the actors have logged."""
        return (self.state / "log" / "actors.log").read_text()


def free_port(address: str) -> int:
    """Return a port that nobody listens on, and that no connection to elsewhere is given."""
    while True:
        port = random.SystemRandom().randrange(10_000, 32_000)
        with contextlib.closing(socket.socket()) as probe, contextlib.suppress(OSError):
            probe.bind((address, port))
            return port

"""Three hosts of one machine: on loopback, with the Kafka and web service of the first."""

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.stories import anatomy, processes
from tests.stories.host import Host
from tests.stories.patience import eventually
from tests.stories.witness import Witness

NAMES = ("alpha", "beta", "gamma")
REFUSED_WITHIN_S = 60.0


class Cluster:
    """Three hosts; the first is the one through which the others meet."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.witness = Witness(path=folder / "witness")
        self.first = Host(folder / NAMES[0], name=NAMES[0], witness=self.witness)
        others = [self.joining(name, address=f"127.0.0.{n}") for n, name in enumerate(NAMES[1:], 2)]
        self.hosts = {host.name: host for host in (self.first, *others)}

    @property
    def meeting_place(self) -> str:
        """Return where the first host is met."""
        return f"{self.first.address}:{self.first.port}"

    def joining(self, name: str, *, address: str = "127.0.0.1") -> Host:
        """Return a host that joins the first, as soon as it has the key."""
        flags = ("--convention-leader", self.meeting_place)
        return Host(
            self.folder / name, name=name, address=address, flags=flags, witness=self.witness
        )

    def start(self) -> "Cluster":
        """Start all, and wait until they have met."""
        self.first.start()
        for host in list(self.hosts.values())[1:]:
            give_key(self.first.state, host.state)
            host.begin()
        self.have_met()
        return self

    def have_met(self, *names: str) -> None:
        """Wait until hosts (default: all) hear each other, and know who leads."""
        wanted = names or tuple(self.hosts)

        def all_hear() -> bool:
            return all(
                self.hears(name) >= set(wanted) - {name} and self.leader_by(name) for name in wanted
            )

        eventually(all_hear, what=f"{', '.join(wanted)} have met", every_s=0.3)

    def settles(self, *names: str) -> str:
        """Wait until one of some hosts (default: all) leads and the others follow it; return it."""
        wanted = names or tuple(self.hosts)

        def look() -> dict[str, tuple[str, str]]:
            return {name: (self.stances(name)[name], self.leader_by(name)) for name in wanted}

        def one_leads(seen: dict[str, tuple[str, str]]) -> bool:
            leaders = [name for name, (stance, _) in seen.items() if stance == "leading"]
            return len(leaders) == 1 and all(
                leader == leaders[0] and stance == ("leading" if name == leader else "following")
                for name, (stance, leader) in seen.items()
            )

        seen = eventually(look, what="one leads", until=one_leads, every_s=0.3)
        return next(name for name, (stance, _) in seen.items() if stance == "leading")

    def epoch_by(self, name: str) -> int | None:
        """Return the epoch of who leads, as one host knows; None while it knows none."""
        epoch: int | None = self._supervisor(name).get("epoch")
        return epoch

    def hears(self, name: str) -> set[str]:
        """Return the hosts that one hears."""
        peers = self._supervisor(name).get("peers", {})
        return {
            host
            for host, said in peers.items()
            if said["heard_seconds_ago"] is not None and said["heard_seconds_ago"] < 2
        }

    def leader_by(self, name: str) -> str:
        """Return who leads, as one host knows."""
        return self._supervisor(name).get("leader") or ""

    def stances(self, *names: str) -> dict[str, str]:
        """Return how hosts stand in the election."""
        return {name: self._supervisor(name).get("stance", "") for name in names or self.hosts}

    def _supervisor(self, name: str) -> dict[str, Any]:
        status = self.hosts[name].seen()
        return (status or {}).get("supervisor") or {}

    def kill_host(self, name: str) -> None:
        """Kill the start process and all actors of a host at once."""
        host = self.hosts[name]
        status = host.status()
        pids = anatomy.pids_of("all actors", status) | anatomy.pids_of("start process", status)
        processes.kill(pids)
        host.wait_for_the_end()

    def clean_up(self) -> None:
        """Leave no process behind, whatever happened."""
        for host in self.hosts.values():
            host.clean_up()


def give_key(giver: Path, taker: Path) -> None:
    """Copy a cluster's key, as the page says."""
    taker.mkdir(mode=0o700, parents=True, exist_ok=True)
    shutil.copy(giver / "key", taker / "key")


def refused(state: Path, flags: Sequence[str], *, version: str = "") -> tuple[int, str]:
    """Start a host that is to be refused; return its exit code and what it said."""
    program = ["-m", "kirby.actors.system"]
    if version:
        change = f"import kirby; kirby.__version__ = {version!r}"
        program = ["-c", f"{change}; import kirby.actors.system as s; raise SystemExit(s.main())"]
    done = subprocess.run(
        [sys.executable, *program, "start", "--state", str(state), *flags],
        capture_output=True,
        text=True,
        timeout=REFUSED_WITHIN_S,
        check=False,
    )
    return done.returncode, done.stderr.strip()

"""A whole cluster in a story: hosts, Kafka, PostgreSQL and web service, each on a machine.

    cluster.begin("alpha", "beta", "gamma")
    cluster.machine(cluster.leader()).cut_off()

A host is killed with all that is on it, paused, cut off and healed by its machine; what its parts
do, and what a person types, is asked of `tests.stories.host.Host` and of `cluster.kirby`.
"""

import secrets
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import tomli_w

from kirby.core.records import Heartbeat
from kirby.host.state import write_private
from tests.stories import anatomy
from tests.stories.cluster.log import Log
from tests.stories.cluster.machines import Machine, Network
from tests.stories.cluster.parts import Database, Kafka, Web, base_wheels
from tests.stories.host import Host
from tests.stories.jobs import SCRIPTS, Job
from tests.stories.ledger import Ledger
from tests.stories.patience import eventually
from tests.stories.witness import Witness

HEARD_WITHIN_S = 2.0
ACTOR_PORT = 8641


class Cluster:
    """Machines with all that runs on them; whoever makes one calls `clean_up`, come what may.

    Args:
        folder: where all of it lies.
        slots: of each host.
    """

    def __init__(self, folder: Path, *, slots: int = 10) -> None:
        self.folder = folder
        self.network = Network()
        try:
            self.witness = Witness(path=folder / "witness")
            self.hosts: dict[str, Host] = {}
            self.gone: dict[str, Host] = {}  # which were drained and stopped
            self._slots = slots
            self._key = secrets.token_hex(32)
            self.kafka = Kafka(self.network.machine("kafka"), folder / "kafka").start()
            database = self.network.machine("database")
            self.database = Database(database, self.network.folder("database")).start()
            self.web = self._web()
            self.log = Log(self.kafka.bootstrap)
            self.kirby = self.web.kirby
            self.ledger = Ledger(kirby=self.kirby)
        except BaseException:
            self.network.clean_up()
            raise

    # -- its life

    def begin(self, *names: str) -> "Cluster":
        """Start the web service, publish the errand, start hosts; returns when all have met."""
        self.start_host(names[0])  # which makes the topics
        self.web.start()
        for wheel in base_wheels(self.folder / "wheels"):
            self.kirby("publish", str(wheel)).well()
        self.kirby("publish", str(SCRIPTS / "errand.py")).well()
        for name in names[1:]:
            self.start_host(name)
        self.is_well()
        return self

    def start_host(self, name: str) -> Host:
        """Start a host, a new one or one that was killed, without waiting."""
        if name not in self.hosts:
            self.hosts[name] = self.gone.pop(name) if name in self.gone else self._host(name)
        self.hosts[name].begin(port=ACTOR_PORT)
        return self.hosts[name]

    def kill(self, name: str) -> None:
        """Kill a host with everything on it."""
        self.machine(name).kill()
        self.hosts[name].wait_for_the_end()

    def leaves(self, name: str) -> None:
        """Stop a host as a person does; it is none of the cluster's any more."""
        self.hosts[name].stop("--with-scripts")
        self.gone[name] = self.hosts.pop(name)

    def machine(self, name: str) -> Machine:
        """Return the machine of a host, or of `kafka`, `database`, `web`."""
        return self.network.machines[name]

    def machines(self, *, without: str = "") -> list[Machine]:
        """Return the machines of all hosts, or of all but one."""
        return [self.machine(name) for name in self.hosts if name != without]

    def actor(self, name: str, role: str) -> int:
        """Return the process of an actor."""
        (pid,) = anatomy.pids_of(role, self.hosts[name].status())
        return pid

    def heals(self) -> None:
        """Let everything go on, mend all wires, start again what was killed; wait until well."""
        for machine in self.network.machines.values():
            machine.go_on()
            machine.heal()
        for part in (self.kafka, self.database, self.web):
            if not part.machine.pids():
                part.start()
        for name in self.hosts:
            if not self.machine(name).pids():
                self.start_host(name)
        self.is_well()

    def clean_up(self) -> None:
        """Leave neither processes nor interfaces behind, whatever happened."""
        self.log.close()
        self.network.clean_up()
        for host in (*self.hosts.values(), *self.gone.values()):
            host.clean_up()

    # -- what a person does

    def applies(self, jobs: Mapping[str, Job], *words: str, **top: Any) -> None:
        """Apply a document with these jobs; every script gets the witness."""
        document = {"job": dict(jobs), "set": {"WITNESS": str(self.witness.path)}, **top}
        path = self.folder / "story.toml"
        path.write_text(tomli_w.dumps(document))
        self.kirby("apply", str(path), "--yes", "--prune", *words).well()

    # -- what is seen

    def leader(self) -> str:
        """Return who leads, by the log."""
        return self.log.leader()

    def is_well(self, *names: str) -> None:
        """Wait until hosts (default: all) hear each other, may claim, and agree on one leader."""
        wanted = set(names or self.hosts)
        eventually(
            lambda: {name: self._unwell(name, wanted) for name in sorted(wanted)},
            what="all is well",
            until=lambda said: not any(said.values()),
            within_s=120,
            every_s=0.3,
        )

    def _unwell(self, name: str, wanted: Collection[str]) -> str:
        status = self.hosts[name].seen()
        supervisor = (status or {}).get("supervisor")
        if not supervisor:
            return "silent"
        peers = {
            peer
            for peer, said in supervisor["peers"].items()
            if said["heard_seconds_ago"] is not None and said["heard_seconds_ago"] < HEARD_WITHIN_S
        }
        if deaf := set(wanted) - peers - {name}:
            return f"does not hear {deaf}"
        facts = {a["name"]: a["facts"] for a in supervisor["actors"] if a["state"] == "running"}
        if not (facts.get("runner") or {}).get("may_claim"):
            return "may not claim"
        leads = self.leader()
        if supervisor["leader"] != leads:
            return f"takes {supervisor['leader']} for the leader, not {leads}"
        stance = "leading" if name == leads else "following"
        return "" if supervisor["stance"] == stance else f"is {supervisor['stance']}, not {stance}"

    def heartbeats(self) -> dict[str, Heartbeat]:
        """Return what each host last said of itself in the log."""
        return {str(beat.host): beat for _, beat in self.log.read().of(Heartbeat)}

    # -- how it is made

    def _web(self) -> Web:
        config = self._settings(self.folder / "web.toml")
        flags = ("--config", str(config), "--database", self.database.url)
        web = Web(self.network.machine("web"), self.folder / "web", flags)
        write_private(web.state / "key", self._key)
        return web

    def _host(self, name: str) -> Host:
        machine = self.network.machine(name)
        first = next(iter(self.hosts), None)
        place = (f"{self.machine(first).address}:{ACTOR_PORT}",) if first else ()
        flags = [word for each in place for word in ("--convention-leader", each)]
        config = self._settings(self.folder / f"{name}.toml", web={"urls": [self.web.url]})
        host = Host(
            self.folder / name,
            name=name,
            slots=self._slots,
            flags=("--config", str(config), *flags),
            inside=machine.inside,
            witness=self.witness,
        )
        host.address = machine.address
        host.state.mkdir(mode=0o700)
        write_private(host.state / "key", self._key)
        return host

    def _settings(self, path: Path, **tables: Any) -> Path:
        kafka = {"bootstrap": self.kafka.bootstrap, "replication": 1}
        path.write_text(tomli_w.dumps({"kafka": kafka, **tables}))
        return path

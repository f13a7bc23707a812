"""A host with its real Runner, Arbiter, Recorder and Watchdogs, a real shim and a real Kafka.

The test is the leader: it posts offers and claims, and reads what the host tells.
"""

import shutil
import sys
import time
import venv
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from thespian.actors import ActorAddress

from kirby.actors.arbiter import Arbiter
from kirby.actors.base import KirbyActor
from kirby.actors.recorder import Recorder
from kirby.actors.runner import Runner
from kirby.actors.watchdog import Watchdog
from kirby.core.configuration import HostConfiguration
from kirby.core.messages import (
    ActorMoved,
    Begin,
    IncarnationIs,
    WatchdogIs,
    WatchdogWanted,
)
from kirby.core.names import ContextKey, Epoch, FencingToken, Host, run_id
from kirby.core.nouns import LeaderReason, RunPlan, Variable
from kirby.core.records import (
    AnyRecord,
    DaemonOffer,
    Heartbeat,
    LeaderClaim,
    Line,
    Lines,
    Offer,
    TopicName,
)
from kirby.core.requirement import parse_requirement
from kirby.host import shim_process
from kirby.host.keys import load_or_create_keys
from kirby.host.state import StateFolder
from kirby.kafka import events as kafka
from kirby.kafka.mailbox import Mailbox
from kirby.kafka.making import ensure_topics
from kirby.kafka.poster import Poster
from kirby.kafka.reader import Reader
from kirby.kafka.settings import KafkaSettings
from kirby.kafka.starts import Beginning
from kirby.packages.environments import MANIFEST, Manifest, Places, base_python
from kirby.packages.installation import own_digest
from tests.builders.stage import Stage

HOST = Host("alpha")
CONTEXT = ContextKey("pump/prod")
R = TypeVar("R", bound=AnyRecord)


class CrewOnStage:
    """One host, and the log."""

    def __init__(self, path: Path, bootstrap: str, prefix: str, *, slots: int = 4) -> None:
        self.folder = StateFolder(path=path)
        self.folder_id = self.folder.prepare()
        self.key = load_or_create_keys(self.folder)
        self.settings = KafkaSettings(bootstrap=bootstrap, prefix=prefix)
        ensure_topics(self.settings)
        self.configuration = HostConfiguration(
            name=HOST,
            state=str(path),
            kafka=bootstrap,
            topic_prefix=prefix,
            slots=slots,
            web_urls=("http://127.0.0.1:9",),  # nobody: environments are there already
        )
        self.stage = Stage()
        self.stage.outside["supervisor"] = self._supervise
        self.log: list[AnyRecord] = []
        self._box: Mailbox[Any] = Mailbox()
        self._poster = Poster(self.settings, self._box)
        starts = {t: Beginning() for t in (TopicName.RUNS, TopicName.LOGS, TopicName.HOSTS)}
        self._reader = Reader(self.settings, starts, self._box)
        self._dogs: dict[ContextKey, str] = {}
        self._incarnation: IncarnationIs | None = None
        shim_process.ensure(self.folder)

    def begin(self, *roles: str) -> "CrewOnStage":
        """Have actors enter; all but the Watchdogs, which come when they are wanted."""
        kinds: dict[str, type[KirbyActor]] = {
            "runner": Runner,
            "arbiter": Arbiter,
            "recorder": Recorder,
        }
        for role in roles or tuple(kinds):
            self._enter(kinds[role], role)
        return self

    def close(self) -> None:
        self.stage.close()
        self._reader.close()
        self._poster.close(0.5)
        self._box.close()
        shim_process.end(self.folder, with_scripts=True, grace_s=0.5)

    def kill(self, role: str) -> None:
        """Kill an actor and have another enter, as the Supervisor does."""
        kind = type(self.stage.actors[role])
        self.stage.kill(role)
        self._enter(kind, role)
        for context, dog in self._dogs.items():
            if dog == role:
                self._tell_of(context)

    def kill_everything(self) -> None:
        """Kill all actors."""
        for role in list(self.stage.actors):
            self.stage.kill(role)
        self._dogs.clear()
        self._incarnation = None

    # -- packages

    def install(self, package: str, script: str) -> None:
        """Put an environment in its place in which the package is this script."""
        requirement = parse_requirement(package)
        places = Places(
            folder=self.folder.environments, python=base_python(), own_digest=own_digest()
        )
        path = places.environment(requirement)
        venv.create(path, symlinks=True, with_pip=False)
        module = requirement.name.replace("-", "_")
        library = f"python{sys.version_info.major}.{sys.version_info.minor}"
        folder = path / "lib" / library / "site-packages" / module
        folder.mkdir(parents=True)
        (folder / "__init__.py").write_text("")
        (folder / "__main__.py").write_text(script)
        manifest = Manifest(
            package=package, module=module, python=base_python(), own_digest=own_digest()
        )
        (path / MANIFEST).write_bytes(msgspec.json.encode(manifest))

    def uninstall(self) -> None:
        shutil.rmtree(self.folder.environments)

    # -- the leader

    def post(self, topic: TopicName, key: str, record: AnyRecord | None) -> None:
        self._poster.post(topic, key, record)

    def offer(self, package: str, *, due: float = 0.5, window: float = 60.0, **plan: Any) -> Offer:
        """Offer a run that is due so many seconds from now."""
        instant = datetime.now(UTC) + timedelta(seconds=due)
        run = run_id(CONTEXT, instant)
        offer = Offer(
            run=run,
            attempt=1,
            context=CONTEXT,
            epoch=Epoch(1),
            token=FencingToken(42),
            due=instant,
            not_before=instant,
            deadline=instant + timedelta(seconds=window),
            hosts=(HOST,),
            plan=RunPlan(context=CONTEXT, package=package, **plan),
        )
        self.post(TopicName.OFFERS, run, offer)
        return offer

    def withdraw(self, offer: Offer, reason: LeaderReason) -> None:
        claim = LeaderClaim(
            run=offer.run, attempt=offer.attempt, epoch=Epoch(1), reason=reason, asked_by="anna"
        )
        self.post(TopicName.CLAIMS, offer.run, claim)

    def daemon(
        self,
        package: str,
        *,
        generation: int = 0,
        hosts: tuple[Host, ...] = (HOST,),
        leaving: tuple[Host, ...] = (),
        **plan: Any,
    ) -> DaemonOffer:
        """Have a daemon run here, or where the offer says."""
        offer = DaemonOffer(
            context=CONTEXT,
            epoch=Epoch(1),
            hosts=hosts,
            leaving=leaving,
            generation=generation,
            plan=RunPlan(context=CONTEXT, package=package, **plan),
        )
        self.post(TopicName.DAEMONS, CONTEXT, offer)
        return offer

    def secret(self, name: str, value: str) -> Variable:
        return Variable(name=name, value=self.key.seal(value), sealed=True)

    # -- what the host tells

    def told(self, kind: type[R], run: str = "") -> list[R]:
        """Return the records of a kind that were read so far."""
        self._read()
        return [
            record
            for record in self.log
            if isinstance(record, kind) and (not run or getattr(record, "run", "") == run)
        ]

    def waits_for(self, kind: type[R], run: str = "", *, times: int = 1) -> R:
        """Play until such a record was read; return the last of them."""
        self.until(lambda: len(self.told(kind, run)) >= times)
        return self.told(kind, run)[-1]

    def until(self, reached: Callable[[], bool], limit_s: float = 40.0) -> None:
        self.stage.until(reached, limit_s)

    def lines(self, run: str) -> list[Line]:
        return [line for batch in self.told(Lines, run) for line in batch.lines]

    def heartbeat(self) -> Heartbeat:
        """Play until there is another heartbeat."""
        return self.waits_for(Heartbeat, times=len(self.told(Heartbeat)) + 1)

    def is_claiming(self) -> bool:
        runner = self.stage.actors["runner"]
        return bool(getattr(runner, "claims", None) and runner.facts()["may_claim"])

    def _read(self) -> None:
        for event in self._box.drain():
            if isinstance(event, kafka.Delivered) and event.record is not None:
                self.log.append(event.record)

    # -- the Supervisor

    def _supervise(self, message: Any, sender: str) -> None:
        match message:
            case WatchdogWanted(context=context):
                if context not in self._dogs:
                    self._dogs[context] = f"watchdog-{len(self._dogs) + 1}"
                    self._enter(Watchdog, self._dogs[context])
                self._tell_of(context)
            case IncarnationIs():
                self._incarnation = replace(message, runner=ActorAddress("runner"))
                for address in self.stage.actors:
                    if address != "runner":
                        self.stage.post(address, self._incarnation, "supervisor")

    def _tell_of(self, context: ContextKey) -> None:
        told = WatchdogIs(context=context, watchdog=ActorAddress(self._dogs[context]))
        for role in ("runner", "arbiter"):
            self.stage.post(role, told, "supervisor")

    def _enter(self, kind: type[KirbyActor], address: str) -> None:
        self.stage.enter(kind, address)
        begin = Begin(
            configuration=self.configuration,
            state_folder=self.folder_id,
            life=1,
            started=datetime.now(UTC),
            runner=ActorAddress("runner"),
            arbiter=ActorAddress("arbiter"),
        )
        self.stage.post(address, begin, "supervisor")
        if self._incarnation is not None and address != "runner":
            self.stage.post(address, self._incarnation, "supervisor")
        moved = ActorMoved(role=kind.role, address=ActorAddress(address))
        for other in self.stage.actors:
            if other != address and kind is not Watchdog:
                self.stage.post(other, moved, "supervisor")


def seconds_since(begun: float) -> float:
    return time.monotonic() - begun

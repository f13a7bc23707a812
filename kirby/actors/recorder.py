"""The Recorder of a host: carries what the run folders hold to Kafka, in order, until it is there.

Decides nothing: see `core.shipping.folders` for what goes next, and `core.shipping.errands` for
whose turn it is. With Kafka down everything waits on the disk, and nothing but names is kept in
memory.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kirby.actors.base import KirbyActor
from kirby.actors.recorder_folder import (
    AllShipped,
    Errand,
    Load,
    NothingYet,
    Secrets,
    SetAside,
    Shipment,
)
from kirby.actors.recorder_loads import Loads
from kirby.actors.shim_link import Outcome, ReachShim, ShimLink
from kirby.core.messages import Begin
from kirby.core.names import Host
from kirby.core.shipping.errands import AGAIN_SECONDS, Errands
from kirby.core.shipping.run_folder import folder_name
from kirby.host.keys import load_keys
from kirby.host.run_folder import RunFolder, run_folders
from kirby.host.shim_messages import Holdings, List, NotDone, Refusal, ShimEvent, Shipped
from kirby.host.state import StateFolder
from kirby.kafka.client import Kafka
from kirby.kafka.settings import settings_of

LOOK_SECONDS = 0.5  # at the output of what lives: nobody tells of it
SCAN_SECONDS = 15.0  # over all folders, should a hint have been lost
LIVING_SECONDS = 5.0  # until a damaged folder of a living script is looked at again
LOOKS_AT_A_TIME = 8  # then others have their turn
SOON_SECONDS = 0.005
SET_ASIDE = "set-aside"


@dataclass(frozen=True, kw_only=True)
class GoOn:
    """A wake-up: look at the next folders."""


@dataclass(frozen=True, kw_only=True)
class LookAtOutput:
    """A wake-up: see whose output has grown."""


@dataclass(frozen=True, kw_only=True)
class Scan:
    """A wake-up: see which folders there are."""


class Recorder(KirbyActor):
    """Carries run folders to Kafka."""

    role = "recorder"

    def begin(self, begin: Begin, sender: Any) -> None:
        """Open the lines to Kafka and to the shim, and look at what is there."""
        configuration = begin.configuration
        state = StateFolder(path=Path(configuration.state))
        self._host: Host = configuration.name
        self._runs = state.runs
        self._set_aside = state.path / SET_ASIDE
        self._secrets = Secrets(
            key=load_keys(state),
            of_kafka=tuple(
                value
                for settings in (configuration.kafka_settings, configuration.kafka_scripts)
                for name, value in settings.items()
                if name.endswith("password")
            ),
        )
        self._errands = Errands()
        self._shipments: dict[str, Shipment] = {}
        self._living: dict[str, Shipment] = {}
        self._going_on = False
        port = Kafka(settings=settings_of(configuration, self.role))
        self._loads = Loads(self, port, self._loaded, self._not_loaded)
        self._shim = ShimLink(self, self, state.shim)
        self._shim.reach()
        self._scan()
        self.wake(LOOK_SECONDS, LookAtOutput())

    def woke(self, purpose: Any) -> None:
        """Go on with what waited."""
        match purpose:
            case ReachShim():
                self._shim.wake(purpose)
            case GoOn():
                self._going_on = False
                self._go_on()
            case LookAtOutput():
                self._look_at_output()
                self.wake(LOOK_SECONDS, LookAtOutput())
            case Scan():
                self._scan()

    def ending(self) -> None:
        """Let go of Kafka and of the shim; what is on its way is told again by the next one."""
        self._loads.close()
        self._shim.close()

    def facts(self) -> dict[str, Any]:
        """Return how much there is to carry."""
        return {
            "in_line": len(self._errands.line),
            "on_their_way": len(self._errands.out),
            "living": len(self._living),
            "set_aside": _count(self._set_aside),
        }

    # -- hints

    def shim_reached(self) -> None:
        """Look at everything: steps may have been missed."""
        self._scan_names()

    def shim_lost(self) -> None:
        """Go on with what is on the disk."""

    def shim_event(self, event: ShimEvent) -> None:
        """Look at the folder of whom it was told."""
        self._errands = self._errands.news(folder_name(event.key))
        self._go_on()

    def _scan(self) -> None:
        self._scan_names()
        self.wake(SCAN_SECONDS, Scan())

    def _scan_names(self) -> None:
        names = [each.path.name for each in run_folders(self._runs)]
        self._errands = self._errands.news_of(names)
        self._go_on()

    def _look_at_output(self) -> None:
        grown = [name for name, each in self._living.items() if each.has_news()]
        self._errands = self._errands.news_of(grown).ripe(self.clock.boot())
        self._go_on()

    # -- work

    def _go_on(self) -> None:
        """Look at some folders; the others after whatever else waits for this actor."""
        for _ in range(LOOKS_AT_A_TIME):
            self._errands, name = self._errands.next()
            if name is None:
                return
            self._look(name)
        if not self._going_on:
            self._going_on = True
            self.wake(SOON_SECONDS, GoOn())

    def _look(self, name: str) -> None:
        shipment = self._shipments.get(name) or self._living.get(name) or self._new(name)
        self._shipments[name] = shipment
        try:
            errand: Errand = shipment.next(self.clock.now())
        except FileNotFoundError:
            self._forget(name)
            return
        self._do(name, shipment, errand)

    def _new(self, name: str) -> Shipment:
        folder = RunFolder(path=self._runs / name)
        return Shipment(
            host=self._host, folder=folder, secrets=self._secrets, began=self.clock.boot()
        )

    def _do(self, name: str, shipment: Shipment, errand: Errand) -> None:
        match errand:
            case Load(steps=(), batches=()):
                shipment.done(errand, [], self.clock.boot())
                self._errands = self._errands.done(name).news(name)
            case Load():
                self._loads.post(name, errand)
            case NothingYet(again=again):
                self._rest(name, shipment)
                if again is not None:
                    wait = (again - self.clock.now()).total_seconds()
                    self._errands = self._errands.later(name, self.clock.boot() + wait)
            case AllShipped():
                self._tell_shipped(name, shipment)
            case SetAside():
                self._ask_whether_it_lives(name, errand)

    def _rest(self, name: str, shipment: Shipment) -> None:
        """Wait for news of what lives; keep of what has ended no more than the disk does."""
        self._errands = self._errands.done(name)
        self._shipments.pop(name, None)
        if shipment.has_ended:
            self._living.pop(name, None)
        else:
            self._living[name] = shipment

    def _forget(self, name: str) -> None:
        self._errands = self._errands.done(name)
        self._shipments.pop(name, None)
        self._living.pop(name, None)

    def _again(self, name: str, seconds: float) -> None:
        self._errands = self._errands.later(name, self.clock.boot() + seconds)

    # -- what came of it

    def _loaded(self, name: str, load: Load, places: list[tuple[int, int]]) -> None:
        shipment = self._shipments.get(name)
        self._errands = self._errands.done(name)
        if shipment is not None:
            shipment.done(load, places, self.clock.boot())
            self._errands = self._errands.news(name)
        self._go_on()

    def _not_loaded(self, name: str, sentence: str) -> None:
        self.log.warning("%s waits: %s", name, sentence)
        self._again(name, AGAIN_SECONDS)
        shipment = self._shipments.get(name)
        if shipment is not None and shipment.progress == shipment.kept:
            del self._shipments[name]  # all of it stands on the disk

    def _tell_shipped(self, name: str, shipment: Shipment) -> None:
        attempt = shipment.folder.attempt
        if attempt is None:
            self._forget(name)
            return

        def heard(outcome: Outcome) -> None:
            unknown = isinstance(outcome, NotDone) and outcome.refusal is Refusal.UNKNOWN
            if outcome is None or (isinstance(outcome, NotDone) and not unknown):
                self._again(name, AGAIN_SECONDS)
                return
            if unknown and shipment.folder.path.exists():
                shipment.folder.set_aside(self._set_aside)  # nobody else would take it away
            self._forget(name)

        self._shim.ask(Shipped(run=attempt.run, attempt=attempt.attempt), heard)

    # -- what cannot be shipped

    def _ask_whether_it_lives(self, name: str, errand: SetAside) -> None:
        """Set aside only what has ended: a living script still writes into its folder."""

        def heard(outcome: Outcome) -> None:
            if not isinstance(outcome, Holdings):
                self._again(name, AGAIN_SECONDS)
            elif name in _living_folders(outcome):
                self._again(name, LIVING_SECONDS)
            else:
                self._loads.post_last(name, errand.load, lambda: self._put_aside(name, errand))

        self._shim.ask(List(), heard)

    def _put_aside(self, name: str, errand: SetAside) -> None:
        shipment = self._shipments[name]
        self.log.error("%s: %s", name, errand.sentence)
        shipment.folder.set_aside(self._set_aside)
        self._tell_shipped(name, shipment)


def _living_folders(holdings: Holdings) -> Iterator[str]:
    return (folder_name(each.key) for each in holdings.attempts if each.lives)


def _count(folder: Path) -> int:
    return sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0

"""A Watchdog: guards the scripts of some contexts of a host.

It has their environments built, arms their runs in the shim, watches their memory, and keeps their
daemons running. Decides nothing: see `core.guarding`. All that it knows it is told again, or finds
in the shim, so a new one takes over where another died.
"""

import os
import random
from pathlib import Path
from typing import Any

from kirby.actors.base import KirbyActor
from kirby.actors.post import Post
from kirby.actors.shim_link import ReachShim, ShimLink
from kirby.actors.ticking import Tick
from kirby.actors.watchdog_builds import TryBuilds, WatchdogBuilds, store_of
from kirby.actors.watchdog_daemons import WatchdogDaemons
from kirby.actors.watchdog_memory import SampleMemory, WatchdogMemory
from kirby.actors.watchdog_orders import Orders
from kirby.actors.watchdog_runs import WatchdogRuns
from kirby.core.guarding.arming import House
from kirby.core.messages import (
    ActorMoved,
    ArmRun,
    Begin,
    BuildEnvironment,
    EnvironmentIs,
    GuardContext,
    IncarnationIs,
    KeepRunning,
    LetGo,
    Several,
)
from kirby.core.names import context_of
from kirby.host.keys import load_keys
from kirby.host.shim_messages import Holdings, List, ShimEvent
from kirby.host.state import StateFolder
from kirby.kafka.settings import settings_of


class Watchdog(KirbyActor):
    """Guards the scripts of some contexts."""

    role = "watchdog"

    def begin(self, begin: Begin, sender: Any) -> None:
        """Open the line to the shim."""
        configuration = begin.configuration
        folder = StateFolder(path=Path(configuration.state))
        key = load_keys(folder)
        self._asked_by: Any = None  # the Runner, to be told of environments
        self._contexts: set[str] = set()
        self._builds = WatchdogBuilds(
            self,
            store_of(
                configuration.state,
                configuration.web_urls,
                key.host_token,
                configuration.package_index,
            ),
            self._environment_changed,
        )
        self._post = Post(self)
        self._shim = ShimLink(self, self, folder.shim, follows=False, pumped=self._post.send)
        house = House(
            host=configuration.name,
            kafka=settings_of(configuration, self.role).for_scripts(),
            url=",".join(configuration.web_urls),
            inherited=dict(os.environ),
        )
        orders = Orders(house, key, self._builds.find)
        self._memory = WatchdogMemory(self, self._shim)
        self._runs = WatchdogRuns(self, self._shim, orders, self._memory, self._post)
        self._daemons = WatchdogDaemons(
            self, self._shim, orders, self._builds, self._memory, random.Random()
        )
        self._shim.reach()

    def on(self, message: Any, sender: Any) -> None:
        """Take what Runner and Arbiter want."""
        for each in message.messages if isinstance(message, Several) else (message,):
            self._take(each, sender)
        self._post.send()

    def _take(self, message: Any, sender: Any) -> None:
        match message:
            case BuildEnvironment():
                self._asked_by = sender
                self._post.put(sender, self._build(message))
            case ArmRun():
                self._guard(message.offer.context)
                self._memory.learn(message.incarnation)
                self._runs.arm(message, sender)
            case GuardContext(context=context):
                self._shim.follow()
                self._guard(context)
                self._ask_list()
            case KeepRunning():
                self._guard(message.offer.context)
                self._memory.learn(message.incarnation)
                self._daemons.keep(message, sender)
            case LetGo():
                self._guard(message.context)
                self._daemons.let_go(message, sender)
            case IncarnationIs(incarnation=incarnation):
                self._memory.learn(incarnation)
            case ActorMoved(role="arbiter", address=address):
                self._daemons.arbiter = address
            case _:
                pass  # of the actor library, or for others

    def woke(self, purpose: Any) -> None:
        """Go on with what waited."""
        match purpose:
            case ReachShim():
                self._shim.wake(purpose)
            case TryBuilds():
                self._builds.woke()
            case Tick():
                self._daemons.woke(purpose)
            case SampleMemory():
                self._daemons.sampled(self._memory.sample())

    def ending(self) -> None:
        """Let go of builds and of the shim; scripts go on."""
        self._builds.close()
        self._shim.close()

    def facts(self) -> dict[str, Any]:
        """Return what this Watchdog guards."""
        return {
            "contexts": sorted(self._contexts),
            "shim": self._shim.is_up,
            "daemons": self._daemons.facts(),
        }

    # -- the shim

    def shim_reached(self) -> None:
        """Find what lives there."""
        self._ask_list()

    def shim_lost(self) -> None:
        """Know nothing of instances until it is back."""
        self._daemons.shim_lost()

    def shim_event(self, event: ShimEvent) -> None:
        """Follow the scripts of the contexts that are guarded here."""
        if context_of(event.run) in self._contexts:
            self._memory.follow(event)
            self._daemons.follow(event)

    def _ask_list(self) -> None:
        self._shim.ask(List(), self._listed)

    def _listed(self, outcome: object) -> None:
        if isinstance(outcome, Holdings):
            ours = [each for each in outcome.attempts if each.context in self._contexts]
            self._memory.found(ours)
            self._daemons.found(ours)

    # -- environments

    def _guard(self, context: str) -> None:
        self._contexts.add(context)

    def _build(self, wanted: BuildEnvironment) -> EnvironmentIs:
        return self._builds.want(
            wanted.package, revision=wanted.revision, source_builds=wanted.source_builds
        )

    def _environment_changed(self, told: EnvironmentIs) -> None:
        if self._asked_by is not None:
            self.send(self._asked_by, told)
        self._daemons.environment(told)

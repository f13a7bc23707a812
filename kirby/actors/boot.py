"""The start process of a host: takes the state folder, starts what lacks, keeps it alive, ends it.

It is no actor. Whatever it started may be found again by a later start: only the actors belong to
this one life, and the kernel ends them with it. While it runs it waits for none of its services:
see `menders`.
"""

import contextlib
import os
import selectors
import signal
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from kirby.actors.actor_system import HostActors
from kirby.actors.control import Answering, Control
from kirby.actors.menders import Menders
from kirby.actors.service import Services
from kirby.actors.signals import Signals, Stopped, waking_at_the_end_of
from kirby.actors.starting import (
    check_kafka,
    check_port,
    check_user,
    cluster_of,
    end_services,
    make_topics,
    take_state_folder,
)
from kirby.core.configuration import HostConfiguration
from kirby.core.errors import ExitCode, KirbyError
from kirby.host.host_file import HostFile, write_host_file
from kirby.host.keys import load_or_create_keys
from kirby.host.processes import reap_all
from kirby.host.state import StateFolder
from kirby.host.web_address import choose_web_endpoint, take_first_link, url_of

SUPERVISOR = "kirby.actors.supervisor.Supervisor"
LOOK_EVERY_S = 1.0  # at services of an earlier start, whose end no signal tells
MEND_AGAIN_S = 0.2

Say = Callable[[str], None]


class StartProcess:
    """One life of a host, from the lock to the last actor's end."""

    def __init__(
        self,
        configuration: HostConfiguration,
        services: Services,
        say: Say,
        *,
        supervisor_class: str = SUPERVISOR,
    ) -> None:
        self._given = configuration
        self._say = _heard_or_not(say)
        self._supervisor_class = supervisor_class
        self._folder = StateFolder(path=Path(configuration.state).absolute())
        self._services = services
        self._menders = Menders(services, self._say)
        self._since = datetime.now(UTC)
        self._signals = Signals()
        self._stop: dict[str, Any] | None = None
        self._asked_to_stop: Answering | None = None
        self._actors: HostActors | None = None
        self._kafka_cluster = ""

    def run(self) -> ExitCode:
        """Run the host until it is told to stop.

        Raises:
            StartRefused: one of its kinds, in a sentence; nothing was started.
        """
        self._folder.prepare()
        lock = take_state_folder(self._folder, self._since)
        try:
            check_port(self._given)
            try:
                self._live()
            except Stopped:
                self._stop = {}
            finally:
                self._end()
        finally:
            self._folder.host.unlink(missing_ok=True)
            lock.release()
            self._say_goodbye()
        return ExitCode.OK

    def _live(self) -> None:
        keys = load_or_create_keys(self._folder)
        with self._signals.raising():
            configuration = self._start_services()
        with contextlib.closing(Control(self._folder)) as control:
            self._actors = HostActors(
                configuration,
                self._folder,
                keys,
                self._supervisor_class,
                self._say,
                kafka_cluster=self._kafka_cluster,
            )
            self._actors.begin()
            self._say(f"{configuration.name} runs on {configuration.address}:{configuration.port}")
            self._keep(control)

    # -- starting

    def _start_services(self) -> HostConfiguration:
        if self._given.kafka:
            check_kafka(self._given)
        configuration = self._with_addresses()
        told = HostFile(pid=os.getpid(), since=self._since, configuration=configuration)
        write_host_file(self._folder, told)
        if configuration.kafka:
            for difference in make_topics(configuration):
                self._say(difference)
            check_user(self._given)
            self._kafka_cluster = cluster_of(configuration)
        for service in self._services:
            service.start()
            self._menders.note_started(service.name)
        return configuration

    def _with_addresses(self) -> HostConfiguration:
        """Fill in where the broker and the web service of this host are."""
        configuration = self._given
        if self._services.broker is not None:
            configuration = replace(configuration, kafka=self._services.broker.bootstrap())
        if self._services.web is not None:
            listen = choose_web_endpoint(self._folder, configuration.web_listen)
            urls = (url_of(listen, configuration.address),)
            configuration = replace(configuration, web_listen=listen, web_urls=urls)
        return configuration

    # -- keeping alive

    def _keep(self, control: Control) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(control, selectors.EVENT_READ)
            selector.register(self._signals, selectors.EVENT_READ)
            while self._stop is None:
                wait = self._mend()
                self._tell_first_link()
                pids = self._pids()
                with waking_at_the_end_of(pids, selector), self._menders.watched_by(selector):
                    ready = selector.select(wait)
                for key, _ in ready:
                    if key.fileobj is control:
                        self._answer(control)
                    elif key.fileobj is self._signals:
                        self._signalled()

    def _tell_first_link(self) -> None:
        link = take_first_link(self._folder)
        if link is not None:
            self._say(f"pages: {link} (good once, for an hour; another with 'kirby sign-in')")

    def _pids(self) -> list[int]:
        assert self._actors is not None
        processes = (self._actors.admin, self._actors.supervisor)
        return [process.pid for process in processes if process is not None]

    def _mend(self) -> float:
        """Start anew what died; return for how long nothing has to be looked at."""
        reap_all()
        assert self._actors is not None
        wait = self._actors.mend() or LOOK_EVERY_S
        return max(MEND_AGAIN_S, min(wait, self._menders.mend(LOOK_EVERY_S)))

    def _signalled(self) -> None:
        interrupted = signal.SIGINT in self._signals.taken()
        has_a_broker = self._services.broker is not None
        self._stop = {"with_scripts": interrupted and has_a_broker}

    def _answer(self, control: Control) -> None:
        asked = control.accept()
        if asked is None:
            return
        request, answering = asked
        match request.get("do"):
            case "status":
                answering.say(self._status())
                answering.end()
            case "stop":
                self._stop, self._asked_to_stop = request, answering
            case _:
                answering.say({"fault": f"unknown: {request.get('do')}"})
                answering.end()

    def _status(self) -> dict[str, Any]:
        assert self._actors is not None
        said = self._actors.status()
        now = datetime.now(UTC)
        return {
            "host": self._given.name,
            "state": str(self._folder.path),
            "pid": os.getpid(),
            "address": self._given.address,
            "port": self._given.port,
            "since": self._since.isoformat(),
            "uptime_seconds": round((now - self._since).total_seconds(), 1),
            "admin_pid": self._actors.admin.pid if self._actors.admin else None,
            "supervisor": {"pid": said.pid, **said.facts} if said else None,
            "services": self._menders.status(),
            "scripts": [{"run": run, "pid": pid} for run, pid in self._scripts()],
        }

    def _scripts(self) -> list[tuple[str, int]]:
        with contextlib.suppress(KirbyError):  # a shim that does not answer now may in a moment
            return self._services.shim.scripts()
        return []

    # -- ending

    def _end(self) -> None:
        self._menders.give_up()
        if self._actors is not None:
            self._actors.end()
        with_scripts = bool((self._stop or {}).get("with_scripts"))
        for line in end_services(self._services, with_scripts=with_scripts):
            self._say(line)
            if self._asked_to_stop:
                self._asked_to_stop.say({"say": line})

    def _say_goodbye(self) -> None:
        if self._asked_to_stop:
            self._asked_to_stop.say({"done": True})
            self._asked_to_stop.end()


def _heard_or_not(say: Say) -> Say:
    """Go on where nobody listens any more: a host does not end with the pipe of its output."""

    def told(line: str) -> None:
        with contextlib.suppress(OSError, ValueError):
            say(line)

    return told

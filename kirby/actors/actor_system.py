"""One life of the actor system after the other: admin and Supervisor, watched by the start process.

The start process owns them: the kernel ends them with it. When the admin dies, everything that it
forked dies with it, and the whole system is booted anew; when the Supervisor dies, only it is.
"""

import contextlib
import gc
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psutil
from thespian.actors import ActorSystem, ActorSystemException

from kirby.actors import parents, transport
from kirby.actors.logs import log_settings
from kirby.actors.undertaking import is_undertaking
from kirby.core.configuration import HostConfiguration
from kirby.core.errors import StartRefused
from kirby.core.messages import AskStatus, Begin, StatusIs
from kirby.core.names import StateFolderId
from kirby.core.recreation import Lives, created, died
from kirby.host.keys import ClusterKeys
from kirby.host.processes import reap_all, wait_until
from kirby.host.state import StateFolder, next_number

GONE_WITHIN_S = 1.0  # after the shutdown has had its 5 s; then they are killed
STATUS_WITHIN_S = 3.0  # the Supervisor waits half of that for its children
LISTEN_S = 0.1  # then it is seen whether there is still anybody to answer
FAILED_WAIT_S = 0.5


class HostActors:
    """Boots the actor system and its Supervisor, and boots anew what died."""

    def __init__(
        self,
        configuration: HostConfiguration,
        folder: StateFolder,
        keys: ClusterKeys,
        supervisor_class: str,
        say: Callable[[str], None],
        *,
        kafka_cluster: str = "",
    ) -> None:
        self._configuration, self._folder = configuration, folder
        self._supervisor_class, self._say = supervisor_class, say
        self._kafka_cluster = kafka_cluster
        self._started = datetime.now(UTC)
        self._system: Any = None
        self._supervisor: Any = None
        self.admin: psutil.Process | None = None
        self.supervisor: psutil.Process | None = None
        self._lives = {"admin": Lives(), "supervisor": Lives()}
        self._due: dict[str, float] = {}  # when what died may be made anew
        parents.adopt_descendants()
        transport.install(
            keys=keys.frame_keys,
            address=configuration.address,
            own_log=str(folder.log / "thespian.log"),
        )

    def begin(self) -> None:
        """Boot the system for the first time.

        Raises:
            StartRefused: it cannot be.
        """
        try:
            self.boot()
        except (ActorSystemException, OSError, psutil.Error) as fault:
            raise StartRefused(
                f"the actors cannot be started: {fault}; see {self._folder.log}"
            ) from fault

    def boot(self) -> None:
        """Boot the system and create its Supervisor."""
        collect_before_forking()
        self._lives["admin"] = created(self._lives["admin"], _boot_time())
        before = _children(None)
        capabilities = {"Admin Port": self._configuration.port, "Process Startup Method": "fork"}
        self._system = ActorSystem(
            "multiprocTCPBase",
            capabilities,
            logDefs=log_settings(self._folder),
            transientUnique=True,
        )
        self.admin = _new_child(None, before)
        self.create_supervisor()

    def create_supervisor(self) -> None:
        """Create the Supervisor (anew), with a life of its own."""
        self._lives["supervisor"] = created(self._lives["supervisor"], _boot_time())
        before = _children(self.admin)
        self._supervisor = self._system.createActor(self._supervisor_class)
        self.supervisor = _new_child(self.admin, before)
        begin = Begin(
            configuration=for_actors(self._configuration),
            state_folder=StateFolderId(self._folder.id_file.read_text().strip()),
            life=next_number(self._folder.life),
            started=self._started,
            kafka_cluster=self._kafka_cluster,
        )
        self._system.tell(self._supervisor, begin)

    def mend(self) -> float:
        """Boot anew what died; return for how many seconds to wait first (0: all is well)."""
        if not _lives(self.admin):
            return self._mend("admin", self._boot_anew)
        if not _lives(self.supervisor):
            return self._mend("supervisor", self.create_supervisor)
        return 0.0

    def _mend(self, which: str, make: Callable[[], None]) -> float:
        if which not in self._due:
            self._lives[which], wait = died(self._lives[which], _boot_time())
            self._due[which] = _boot_time() + wait
        if _boot_time() < self._due[which]:
            return self._due[which] - _boot_time()
        del self._due[which]
        self._say(f"the {which} ended; it is started anew")
        try:
            make()
        except (ActorSystemException, OSError, psutil.Error) as fault:
            self._say(f"the {which} cannot be started: {fault}")
            return FAILED_WAIT_S
        return 0.0

    def _boot_anew(self) -> None:
        self.let_go()
        self.boot()

    def status(self) -> StatusIs | None:
        """Return what the Supervisor and its children say; None if it does not answer in time."""
        if self._system is None or self._supervisor is None:
            return None
        until = _boot_time() + STATUS_WITHIN_S
        try:
            self._system.tell(self._supervisor, AskStatus())
            while _boot_time() < until and _lives(self.admin) and _lives(self.supervisor):
                answer = self._system.listen(LISTEN_S)
                if isinstance(answer, StatusIs):
                    return answer
        except (ActorSystemException, OSError):
            pass  # it is just being started anew
        return None

    def end(self) -> None:
        """End the actors in order; kill what does not end in time."""
        if self._system is not None and _lives(self.admin):
            with contextlib.suppress(ActorSystemException, OSError, psutil.Error):
                self._system.shutdown()
        self.let_go()

    def let_go(self) -> None:
        """See to it that no process of the actor system is left, and that its port is free."""
        family = self._family()
        _, alive = psutil.wait_procs(family, timeout=GONE_WITHIN_S)
        for process in alive:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        psutil.wait_procs(alive, timeout=GONE_WITHIN_S)
        wait_until(_nothing_remains, GONE_WITHIN_S)
        if self._system is not None and self._system._systemBase is not None:
            with contextlib.suppress(AttributeError, OSError):  # it may be half closed
                self._system._systemBase.transport.close()
        self._system = self._supervisor = self.admin = self.supervisor = None
        wait_until(lambda: is_port_free(self._configuration.address, self._configuration.port), 5.0)

    def _family(self) -> list[psutil.Process]:
        """Return what lives of the actor system: all that this process forked and never exec'd."""
        return [child for child in psutil.Process().children(recursive=True) if _is_fork(child)]


def for_actors(configuration: HostConfiguration) -> HostConfiguration:
    """Leave out what only the web service needs: it may hold a password."""
    return replace(configuration, database="")


def collect_before_forking() -> None:
    """Leave no garbage to the children: a Kafka client that is collected in a fork crashes it."""
    gc.collect()
    gc.freeze()


def is_port_free(address: str, port: int) -> bool:
    """Whether nobody listens on a port of this machine."""
    with contextlib.closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def _children(parent: psutil.Process | None) -> set[int]:
    """Return the children that a process (None: this one) forked and that never became others."""
    found = set()
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in (parent or psutil.Process()).children():
            if _is_fork(child):
                found.add(child.pid)
    return found


def _is_fork(process: psutil.Process) -> bool:
    """Whether a process is a fork of this one, and lives (a zombie has no command line)."""
    try:
        if is_undertaking(process.pid):
            return False
        return bool(process.cmdline() == psutil.Process().cmdline())
    except psutil.Error:
        return False


def _nothing_remains() -> bool:
    """Whether none of the actor system is left, not even as a zombie."""
    reap_all()
    return not any(
        _is_fork(child) or _is_zombie(child) for child in psutil.Process().children(recursive=True)
    )


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _new_child(parent: psutil.Process | None, before: set[int]) -> psutil.Process:
    reap_all()
    new = _children(parent) - before
    if len(new) != 1:
        raise ChildProcessError(f"expected one new process, found {sorted(new)}")
    return psutil.Process(new.pop())


def _lives(process: psutil.Process | None) -> bool:
    return process is not None and process.is_running() and not _is_zombie(process)


def _boot_time() -> float:
    return time.clock_gettime(time.CLOCK_BOOTTIME)

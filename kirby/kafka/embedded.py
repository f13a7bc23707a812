"""A real Apache Kafka of one's own: fetched once, started detached, found again, stopped.

It lives in a folder of its own (`kafka/` of the state folder) and outlives whoever started it.
Its ports are kept, so a broker that is started again is where it was.
"""

import fcntl
import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kirby.core.errors import EmbeddedKafkaFailed, KafkaPortTaken
from kirby.kafka import compiled
from kirby.kafka.broker_files import (
    LOOPBACK,
    BrokerFolder,
    Ports,
    chosen_ports,
    is_free,
    kept_ports,
    taken_port,
    write_settings,
)
from kirby.kafka.broker_process import (
    Program,
    format_data,
    jars_in,
    kill,
    living,
    spawn,
    wait_for_end,
)
from kirby.kafka.jars import ensure_jars
from kirby.kafka.java import find_java
from kirby.kafka.knock import answers
from kirby.kafka.last_words import last_words
from kirby.kafka.port_holder import holder_of
from kirby.kafka.progress import Progress, Stage, silent

ANSWER_LIMIT_S = 90.0  # it takes 1.2 to 3.5 s on an idle machine
MUTE_LIMIT_S = 60.0  # a broker that was found alive may just be starting
KNOCK_LIMIT_S = 10.0
KNOCK_PERIOD_S = 0.05
STOP_LIMIT_S = 30.0  # it takes 0.4 s
KEEP_LIMIT_S = 120.0  # 6 s, of one core
PORT_TRIES = 3  # a port that was free may be taken before Kafka comes to it

ChoosePorts = Callable[[BrokerFolder], Ports]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """Where Java and Kafka come from; without `java` and `jars` they are fetched into `cache`."""

    cache: Path
    java: Path | None = None  # of a Java of 17 or later, the program itself
    jars: Path | None = None  # the folder `libs` of an Apache Kafka


def sources_of(environment: Mapping[str, str]) -> Sources:
    """Read KIRBY_CACHE (default: ~/.cache/kirby), KIRBY_JAVA and KIRBY_KAFKA_JARS."""
    java, jars = environment.get("KIRBY_JAVA"), environment.get("KIRBY_KAFKA_JARS")
    cache = environment.get("KIRBY_CACHE")
    return Sources(
        cache=Path(cache) if cache else Path.home() / ".cache" / "kirby",
        java=Path(java) if java else None,
        jars=Path(jars) if jars else None,
    )


def ensure(folder: Path, progress: Progress = silent, *, sources: Sources | None = None) -> str:
    """Make sure that the folder's broker answers: `host:port` for its clients.

    Fetches, formats and starts what lacks. A broker that lives but is mute is ended and started
    again; where somebody took a port that it kept, it moves to another.

    Args:
        folder: the broker's own folder, made if it lacks.
        progress: told of what takes long.
        sources: by default those of the environment.

    Raises:
        EmbeddedKafkaFailed: with the reason, in one sentence.
    """
    return _ensured(folder, progress, sources, chosen_ports)


def restart(folder: Path, progress: Progress = silent, *, sources: Sources | None = None) -> str:
    """Bring a dead broker back to where all its clients look for it: else as `ensure`.

    Raises:
        KafkaPortTaken: somebody has one of its ports; it did not move.
        EmbeddedKafkaFailed: with another reason.
    """
    return _ensured(folder, progress, sources, _the_same_ports)


def _the_same_ports(broker: BrokerFolder) -> Ports:
    port = taken_port(broker)
    if port is not None:
        raise KafkaPortTaken(
            f"port {port} of {LOOPBACK}, where its clients look for it, is taken by "
            f"{holder_of(port)}: it waits until the port is free"
        )
    return kept_ports(broker) or chosen_ports(broker)


def _ensured(folder: Path, progress: Progress, sources: Sources | None, choose: ChoosePorts) -> str:
    broker = BrokerFolder(path=folder.resolve())
    try:
        broker.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        broker.scratch.mkdir(mode=0o700, exist_ok=True)
        with _alone(broker):
            ports = _found_alive(broker) or _started(
                broker, sources or sources_of(os.environ), progress, choose
            )
    except OSError as fault:
        raise EmbeddedKafkaFailed(
            f"the embedded Kafka cannot use {folder}: {fault.strerror or fault}"
        ) from fault
    return ports.bootstrap


def running(folder: Path) -> int | None:
    """Return the pid of the folder's broker, or None if it does not live."""
    return living(BrokerFolder(path=folder.resolve()))


def stop(folder: Path, progress: Progress = silent) -> None:
    """End the folder's broker cleanly, if it lives; returns when no process of it is left."""
    broker = BrokerFolder(path=folder.resolve())
    if not broker.path.exists():
        return
    with _alone(broker):
        pid = living(broker)
        if pid is not None:
            _end(broker, pid, progress)


def _end(broker: BrokerFolder, pid: int, progress: Progress) -> None:
    keeps = compiled.is_due(broker)
    if keeps:
        progress(Stage.KEEP, 0, 1)
    os.kill(pid, signal.SIGTERM)
    if not wait_for_end(pid, KEEP_LIMIT_S if keeps else STOP_LIMIT_S):
        kill(pid)
    broker.pid.unlink(missing_ok=True)
    if keeps:
        compiled.keep(broker)
        progress(Stage.KEEP, 1, 1)


@contextmanager
def _alone(broker: BrokerFolder) -> Iterator[None]:
    descriptor = os.open(broker.lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _found_alive(broker: BrokerFolder) -> Ports | None:
    pid, ports = living(broker), kept_ports(broker)
    if pid is None:
        return None
    if ports and _wait_for_answer(ports, pid, MUTE_LIMIT_S):
        return ports
    kill(pid)
    return None


def _started(
    broker: BrokerFolder, sources: Sources, progress: Progress, choose: ChoosePorts
) -> Ports:
    program = _program(sources, progress)
    if not broker.is_formatted:
        progress(Stage.FORMAT, 0, 1)
        write_settings(broker, choose(broker), broker.data_draft)
        format_data(program, broker)
        progress(Stage.FORMAT, 1, 1)
    progress(Stage.START, 0, 1)
    ports = _start(broker, program, choose)
    progress(Stage.START, 1, 1)
    return ports


def _program(sources: Sources, progress: Progress) -> Program:
    java = find_java(sources.java)
    folder = sources.jars or ensure_jars(sources.cache, progress)
    return Program(java=java, jars=jars_in(folder.resolve()), cache=sources.cache)


def _start(broker: BrokerFolder, program: Program, choose: ChoosePorts) -> Ports:
    for _ in range(PORT_TRIES):
        ports = choose(broker)
        write_settings(broker, ports, broker.data)
        compiled.begin(broker, program)
        said_before = broker.log.stat().st_size if broker.log.exists() else 0
        pid = spawn(program, broker)
        if _wait_for_answer(ports, pid, ANSWER_LIMIT_S):
            return ports
        kill(pid)
        if is_free(ports.clients) and is_free(ports.controller):
            break
    raise EmbeddedKafkaFailed(last_words(broker, said_before))


def _wait_for_answer(ports: Ports, pid: int, limit_s: float) -> bool:
    ends = time.monotonic() + limit_s
    while time.monotonic() < ends:
        if answers(LOOPBACK, ports.clients, KNOCK_LIMIT_S):
            return not wait_for_end(pid, limit_s=0)
        if wait_for_end(pid, limit_s=KNOCK_PERIOD_S):
            return False
    return False

"""What the embedded broker finds in its folder: where all lies, its settings, its ports."""

import errno
import json
import secrets
import socket
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path

LOOPBACK = "127.0.0.1"
NODE = 1
CLEANER_BUFFER = 16 * 1024 * 1024  # bytes; with Kafka's own 128 MB it does not start in this heap
# Threads and buffers for one machine.
SMALL = {
    "num.network.threads": 2,
    "num.io.threads": 4,
    "background.threads": 2,
    "log.cleaner.threads": 1,
    "log.cleaner.dedupe.buffer.size": CLEANER_BUFFER,
    "offsets.topic.num.partitions": 4,
    "transaction.state.log.num.partitions": 4,
    "group.initial.rebalance.delay.ms": 0,
    "auto.create.topics.enable": "false",
    # Each partition sets aside two index files of their full size: 20 MB with Kafka's own figure.
    "log.segment.bytes": 256 * 1024 * 1024,
    "log.index.size.max.bytes": 1024 * 1024,
}
# There is nobody to replicate to.
ALONE = {
    "offsets.topic.replication.factor": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "min.insync.replicas": 1,
    # A machine that loses power loses a second of what was acknowledged, not half a minute.
    "log.flush.interval.ms": 1000,
    "log.flush.scheduler.interval.ms": 1000,
    # A broker that was killed is let in again only when the session of its earlier life is over:
    # with Kafka's own 9 s that took 11 s.
    "broker.session.timeout.ms": 3000,
    "broker.heartbeat.interval.ms": 500,
}
LOWEST_PORT = 10_000  # well-known services have lower ones
HIGHEST_PORT = 65_535
PORTS_DRAWN = 200  # two of them are free on any machine
_CONNECTIONS = Path("/proc/sys/net/ipv4/ip_local_port_range")  # usually 32768 to 60999
LOG_BYTES = "4MB"  # of each of three files of what the broker says


@dataclass(frozen=True, kw_only=True)
class Ports:
    """Where the broker listens, on loopback only."""

    clients: int
    controller: int

    @property
    def bootstrap(self) -> str:
        """Return what clients are told."""
        return f"{LOOPBACK}:{self.clients}"


@dataclass(frozen=True, kw_only=True)
class BrokerFolder:
    """The paths below the broker's folder."""

    path: Path

    @property
    def data(self) -> Path:
        """All that Kafka keeps."""
        return self.path / "data"

    @property
    def data_draft(self) -> Path:
        """Where `data` is formatted; renamed when that has come to its end."""
        return self.path / "data.draft"

    @property
    def is_formatted(self) -> bool:
        """Whether Kafka may start on `data`."""
        return (self.data / "meta.properties").exists()

    @property
    def settings(self) -> Path:
        """What Kafka reads at its start."""
        return self.path / "server.properties"

    @property
    def log_settings(self) -> Path:
        """What Kafka's log library reads."""
        return self.path / "log4j2.properties"

    @property
    def log(self) -> Path:
        """What the broker says."""
        return self.path / "broker.log"

    @property
    def console(self) -> Path:
        """What the Java runtime says."""
        return self.path / "console.log"

    @property
    def ports(self) -> Path:
        """The ports that it keeps."""
        return self.path / "ports.json"

    @property
    def pid(self) -> Path:
        """Written by the process itself before it becomes the broker."""
        return self.path / "pid"

    @property
    def lock(self) -> Path:
        """Held by whoever starts or stops it."""
        return self.path / "lock"

    @property
    def scratch(self) -> Path:
        """Where Java unpacks its native libraries."""
        return self.path / "scratch"

    @property
    def kept(self) -> Path:
        """What Java compiled, until the whole of it goes into the cache."""
        return self.path / "aot.draft"

    @property
    def kept_for(self) -> Path:
        """Names the place in the cache; exists while the broker is to write what it compiled."""
        return self.path / "aot.place"

    @property
    def mark(self) -> str:
        """Return what the broker's command line has and no other process: tells it from others."""
        return f"-Dkirby.kafka={self.path}"


def chosen_ports(folder: BrokerFolder) -> Ports:
    """Return the ports that are kept if nobody else took them, else new ones, kept from now on."""
    kept = kept_ports(folder)
    if kept and is_free(kept.clients) and is_free(kept.controller):
        return kept
    ports = _new_ports()
    draft = folder.ports.with_suffix(".new")
    draft.write_text(json.dumps({"clients": ports.clients, "controller": ports.controller}))
    draft.replace(folder.ports)
    return ports


def taken_port(folder: BrokerFolder) -> int | None:
    """Return the port that is kept and that somebody else took, if there is one."""
    kept = kept_ports(folder)
    ports = (kept.clients, kept.controller) if kept else ()
    return next((port for port in ports if not is_free(port)), None)


def kept_ports(folder: BrokerFolder) -> Ports | None:
    """Return the ports of the last start, or None before the first."""
    try:
        return Ports(**json.loads(folder.ports.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def is_free(port: int) -> bool:
    """Tell whether a listener could take the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError as fault:
            if fault.errno in (errno.EADDRINUSE, errno.EACCES):
                return False
            raise
        return True


def _new_ports() -> Ports:
    """Draw two free ports below those that the kernel gives to connections.

    While the broker is down, a connection to elsewhere could get one of those, even one that tries
    to reach the broker: then it could not come back to where all its clients look for it.
    """
    of_connections = int(_CONNECTIONS.read_text().split()[0])
    end = of_connections if of_connections > LOWEST_PORT + PORTS_DRAWN else HIGHEST_PORT
    drawn = secrets.SystemRandom().sample(range(LOWEST_PORT, end), PORTS_DRAWN)
    clients, controller, *_ = (port for port in drawn if is_free(port))
    return Ports(clients=clients, controller=controller)


def new_cluster_id() -> str:
    """Draw the id that Kafka wants when it formats: 16 random bytes."""
    while (text := urlsafe_b64encode(secrets.token_bytes(16)).decode().rstrip("=")).startswith("-"):
        pass  # it would be read as an option
    return text


def write_settings(folder: BrokerFolder, ports: Ports, data: Path) -> None:
    """Write what Kafka reads; measured to stay at 170 MB resident."""
    settings = {
        "process.roles": "broker,controller",
        "node.id": NODE,
        "controller.quorum.voters": f"{NODE}@{LOOPBACK}:{ports.controller}",
        "listeners": f"CLIENTS://{ports.bootstrap},CONTROLLER://{LOOPBACK}:{ports.controller}",
        "advertised.listeners": f"CLIENTS://{ports.bootstrap}",
        "inter.broker.listener.name": "CLIENTS",
        "controller.listener.names": "CONTROLLER",
        "listener.security.protocol.map": "CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT",
        "log.dirs": data,
        **SMALL,
        **ALONE,
    }
    folder.settings.write_text(_properties(settings))
    folder.log_settings.write_text(_properties(_log_settings(folder)))


def _log_settings(folder: BrokerFolder) -> dict[str, object]:
    appender = "appender.file"
    return {
        "status": "error",
        f"{appender}.type": "RollingFile",
        f"{appender}.name": "file",
        f"{appender}.fileName": folder.log,
        f"{appender}.filePattern": f"{folder.log}.%i",
        f"{appender}.layout.type": "PatternLayout",
        f"{appender}.layout.pattern": "%d{yyyy-MM-dd'T'HH:mm:ss.SSSXXX} %p %m%n%throwable",
        f"{appender}.policies.type": "Policies",
        f"{appender}.policies.size.type": "SizeBasedTriggeringPolicy",
        f"{appender}.policies.size.size": LOG_BYTES,
        f"{appender}.strategy.type": "DefaultRolloverStrategy",
        f"{appender}.strategy.max": 2,
        "rootLogger.level": "warn",
        "rootLogger.appenderRef.file.ref": "file",
    }


def _properties(settings: dict[str, object]) -> str:
    """Write a properties file; a backslash there begins an escape."""
    return "".join(
        f"{key}={str(value).replace(chr(92), chr(92) * 2)}\n" for key, value in settings.items()
    )

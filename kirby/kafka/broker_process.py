"""The embedded broker as a process: its command line, whether it lives, how it ends."""

import contextlib
import hashlib
import os
import select
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from kirby.core.errors import EmbeddedKafkaFailed
from kirby.kafka.broker_files import BrokerFolder, new_cluster_id
from kirby.kafka.java import Java

FORMAT_LIMIT_S = 120
# The heap that is enough for one machine; the first compiler alone starts sooner and takes less.
SMALL = (
    "-Xmx128m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-XX:-UsePerfData",
    "-XX:+ExitOnOutOfMemoryError",  # dead it is found and started again; crippled it is not
)
# The process writes its own pid before it becomes the broker, so none is ever unknown.
BECOME = 'cd "$1" && echo $$ > pid.draft && mv pid.draft pid && shift && exec "$@"'
OUTPUT_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND


@dataclass(frozen=True, kw_only=True)
class Program:
    """What is run: a Java and the jars of Kafka."""

    java: Java
    jars: tuple[Path, ...]
    cache: Path

    @property
    def classpath(self) -> str:
        """Return the jars in an order that stays: the cache of compiled code asks for that."""
        return os.pathsep.join(map(str, self.jars))

    @property
    def compiled(self) -> Path:
        """Return where what Java compiled is kept; good for this Java and these jars only."""
        of = hashlib.sha256(f"{self.java.path}\n{self.classpath}".encode()).hexdigest()[:16]
        return self.cache / f"kafka-{self.java.version}-{of}.aot"


def jars_in(folder: Path) -> tuple[Path, ...]:
    """List the jars of a folder, in order.

    Raises:
        EmbeddedKafkaFailed: there is none.
    """
    jars = tuple(sorted(folder.glob("*.jar")))
    if not jars:
        raise EmbeddedKafkaFailed(
            f"{folder} has no jars: KIRBY_KAFKA_JARS must name the folder libs of Apache Kafka"
        )
    return jars


def command(program: Program, folder: BrokerFolder, main: str, *arguments: object) -> list[str]:
    """Return the command line of one of Kafka's programs."""
    return [
        str(program.java.path),
        *SMALL,
        f"-Djava.io.tmpdir={folder.scratch}",
        f"-Dlog4j2.configurationFile={folder.log_settings}",
        f"-XX:ErrorFile={folder.path}/crash.log",
        *_compiled_flags(program, folder, main),
        folder.mark,
        "-cp",
        program.classpath,
        main,
        *map(str, arguments),
    ]


def _compiled_flags(program: Program, folder: BrokerFolder, main: str) -> Sequence[str]:
    if main != "kafka.Kafka" or not program.java.keeps_what_it_compiled:
        return ()
    if program.compiled.exists():
        return ("-Xlog:aot*=off", f"-XX:AOTCache={program.compiled}")
    return ("-Xlog:aot*=off", f"-XX:AOTCacheOutput={folder.kept}")


def format_data(program: Program, folder: BrokerFolder) -> None:
    """Prepare the folder for Kafka's data, whole or not at all (the settings name the draft).

    Raises:
        EmbeddedKafkaFailed: with what Kafka says.
    """
    arguments = ("format", "-t", new_cluster_id(), "-c", folder.settings)
    done = subprocess.run(
        command(program, folder, "kafka.tools.StorageTool", *arguments),
        env=_environment(),
        cwd=folder.path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=FORMAT_LIMIT_S,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines() or ["it says nothing"]
        raise EmbeddedKafkaFailed(f"Kafka cannot prepare {folder.data}: {said[-1]}")
    folder.data_draft.replace(folder.data)


def spawn(program: Program, folder: BrokerFolder) -> int:
    """Start the broker in a session of its own; return its pid."""
    line = command(program, folder, "kafka.Kafka", folder.settings)
    arguments = ["/bin/sh", "-c", BECOME, "kirby-kafka", str(folder.path), *line]
    return os.posix_spawn(
        arguments[0],
        arguments,
        _environment(),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, str(folder.console), OUTPUT_FLAGS, 0o600),
            (os.POSIX_SPAWN_DUP2, 1, 2),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGHUP],
    )


def _environment() -> dict[str, str]:
    """Return a small environment: JAVA_TOOL_OPTIONS and the like would change what was measured."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LANG": "C.UTF-8"}


def living(folder: BrokerFolder) -> int | None:
    """Return the pid of the folder's broker while it lives; a pid that went to another is none."""
    try:
        pid = int(folder.pid.read_text())
        line = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError, ValueError):
        return None
    return pid if folder.mark.encode() in line.split(b"\0") else None


def wait_for_end(pid: int, limit_s: float) -> bool:
    """Wait until a process has ended; tell whether it did. Reaps it if it is a child."""
    ends = time.monotonic() + limit_s
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        ended = bool(select.select([descriptor], [], [], max(0.0, ends - time.monotonic()))[0])
    finally:
        os.close(descriptor)
    if ended:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)
    return ended


def kill(pid: int) -> None:
    """End a broker and its children at once; what it had written stays."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    wait_for_end(pid, limit_s=10)

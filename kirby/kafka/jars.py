"""Which jars make Apache Kafka, and how they come into the cache: fetched, checked, whole."""

import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TypeAlias

from kirby.core.errors import EmbeddedKafkaFailed
from kirby.kafka.progress import Progress, Stage

VERSION = "4.1.0"
FOLDER = f"kafka-{VERSION}"
THREADS = 8  # 45 jars in 4 to 7 s; one by one they take 8 to 20
FETCH_TIMEOUT_S = 30


@dataclass(frozen=True, kw_only=True)
class Jar:
    """One artefact of Maven: where it is, and what it must be."""

    group: str
    name: str
    version: str
    sha256: str
    size: int

    @property
    def file(self) -> str:
        """Return its file name in the cache."""
        return f"{self.name}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.name}:{self.version}"


class NotFetched(Exception):
    """The repository did not give it; says why in a few words."""


# Gets a jar from a repository into a folder of its own, unchecked, and returns the file.
# Raises NotFetched, or OSError where the disk is at fault.
Fetch: TypeAlias = Callable[[Jar, Path], Path]


def listed() -> tuple[Jar, ...]:
    """Read the list that belongs to this version of Kirby."""
    text = files("kirby.kafka").joinpath("jars.txt").read_text()
    return tuple(parse(line) for line in text.splitlines() if line and not line.startswith("#"))


def parse(line: str) -> Jar:
    """Read a line of the list: coordinate, SHA-256, bytes."""
    coordinate, sha256, size = line.split()
    group, name, version = coordinate.split(":")
    return Jar(group=group, name=name, version=version, sha256=sha256, size=int(size))


def fetch_with_jgo(jar: Jar, folder: Path) -> Path:
    """Get a jar from Maven Central."""
    try:
        from jgo.maven import MavenContext
        from requests import exceptions  # what jgo lets through
    except ImportError:
        raise EmbeddedKafkaFailed(
            "Apache Kafka cannot be fetched, as the package jgo is missing: "
            'install "kirby[embedded]", or name a folder of its jars with KIRBY_KAFKA_JARS'
        ) from None
    context = MavenContext(repo_cache=folder, timeout=FETCH_TIMEOUT_S)
    artifact = context.project(jar.group, jar.name).at_version(jar.version).artifact()
    try:
        return Path(artifact.resolve())
    except exceptions.SSLError as fault:
        raise NotFetched("its certificate is not trusted here") from fault
    except exceptions.Timeout as fault:
        raise NotFetched(f"no answer in {FETCH_TIMEOUT_S} s") from fault
    except exceptions.ConnectionError as fault:
        raise NotFetched("no connection") from fault
    except exceptions.RequestException as fault:
        raise NotFetched(f"cut off, {type(fault).__name__}") from fault
    except RuntimeError as fault:  # what jgo raises where the repository lacks it
        raise NotFetched("it has no such artefact") from fault


def ensure_jars(
    cache: Path,
    progress: Progress,
    *,
    jars: Sequence[Jar] | None = None,
    fetch: Fetch = fetch_with_jgo,
) -> Path:
    """Return a folder in `cache` that has every jar, whole and checked; fetch what lacks.

    Whoever comes second waits for the first. A jar gets its name only after its hash was
    checked, so a fetch that was killed leaves nothing half, and the next one goes on from there.

    Raises:
        EmbeddedKafkaFailed: no network, no room, or a jar that is not what it should be.
    """
    wanted = tuple(jars or listed())
    folder = cache / FOLDER
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _alone(cache / f"{FOLDER}.lock"):
            lacking = [jar for jar in wanted if not is_whole(folder / jar.file, jar)]
            if lacking:
                _fetch_all(lacking, folder, progress, fetch)
    except OSError as fault:
        raise EmbeddedKafkaFailed(
            f"Apache Kafka cannot be kept in {folder}: {fault.strerror or fault}; "
            "make room, or name another folder with KIRBY_CACHE"
        ) from fault
    return folder


def is_whole(path: Path, jar: Jar) -> bool:
    """Tell whether a file is this very jar."""
    try:
        if path.stat().st_size != jar.size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == jar.sha256
    except FileNotFoundError:
        return False


@contextmanager
def _alone(lock: Path) -> Iterator[None]:
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _fetch_all(jars: Sequence[Jar], folder: Path, progress: Progress, fetch: Fetch) -> None:
    drafts = folder.with_name(f"{folder.name}.fetch")
    shutil.rmtree(drafts, ignore_errors=True)  # of a fetch that was killed
    meter = _Meter(progress, sum(jar.size for jar in jars))
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            try:
                for _ in pool.map(lambda jar: _fetch_one(jar, folder, drafts, meter, fetch), jars):
                    pass
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
    finally:
        shutil.rmtree(drafts, ignore_errors=True)


def _fetch_one(jar: Jar, folder: Path, drafts: Path, meter: "_Meter", fetch: Fetch) -> None:
    try:
        draft = fetch(jar, drafts / jar.file)
    except NotFetched as fault:
        raise EmbeddedKafkaFailed(
            f"{jar} cannot be fetched from Maven Central ({fault}): "
            "connect this machine, or name a folder of Kafka's jars with KIRBY_KAFKA_JARS"
        ) from fault
    if not is_whole(draft, jar):
        draft.unlink(missing_ok=True)
        raise EmbeddedKafkaFailed(
            f"{jar} came with the wrong SHA-256 and was thrown away: "
            "something between this machine and Maven Central changes what is fetched; try again"
        )
    draft.replace(folder / jar.file)
    meter.add(jar.size)


class _Meter:
    """Adds up what eight threads have got."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress = progress
        self._total = total
        self._done = 0
        self._lock = threading.Lock()
        progress(Stage.FETCH, 0, total)

    def add(self, size: int) -> None:
        with self._lock:
            self._done += size
            self._progress(Stage.FETCH, self._done, self._total)

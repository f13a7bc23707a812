"""Fetching the jars: checked, whole, resumed, with a sentence for each fault."""

import hashlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from kirby.core.errors import EmbeddedKafkaFailed
from kirby.kafka.jars import FOLDER, Jar, NotFetched, ensure_jars, is_whole, listed
from kirby.kafka.progress import Stage, silent


def jar(name: str = "flour", content: bytes = b"flour") -> Jar:
    return Jar(
        group="org.bakery",
        name=name,
        version="1.0",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
    )


class Shop:
    """A repository that gives what it is told to, and counts."""

    def __init__(self, **content: bytes) -> None:
        self.content = content
        self.asked: list[str] = []

    def __call__(self, wanted: Jar, folder: Path) -> Path:
        self.asked.append(wanted.name)
        if wanted.name not in self.content:
            raise NotFetched("no connection")
        folder.mkdir(parents=True)
        path = folder / "draft"
        path.write_bytes(self.content[wanted.name])
        return path


def test_the_list_names_every_jar_once_with_its_hash_and_size() -> None:
    jars = listed()

    assert len({jar.file for jar in jars}) == len(jars) == 46
    assert all(len(jar.sha256) == 64 and jar.size > 0 for jar in jars)


def test_what_lacks_is_fetched_and_what_is_whole_is_not(tmp_path: Path) -> None:
    flour, salt = jar("flour", b"flour"), jar("salt", b"salt")
    ensure_jars(tmp_path, silent, jars=[flour], fetch=Shop(flour=b"flour"))
    shop = Shop(flour=b"flour", salt=b"salt")

    folder = ensure_jars(tmp_path, silent, jars=[flour, salt], fetch=shop)

    assert shop.asked == ["salt"]
    assert all(is_whole(folder / each.file, each) for each in (flour, salt))


def test_a_jar_with_the_wrong_hash_never_gets_its_name(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaFailed, match=r"org\.bakery:flour:1\.0 came with the wrong"):
        ensure_jars(tmp_path, silent, jars=[jar()], fetch=Shop(flour=b"chalk"))

    assert list((tmp_path / FOLDER).iterdir()) == []


def test_a_jar_that_was_damaged_in_the_cache_is_fetched_again(tmp_path: Path) -> None:
    folder = ensure_jars(tmp_path, silent, jars=[jar()], fetch=Shop(flour=b"flour"))
    (folder / jar().file).write_bytes(b"flouR")

    ensure_jars(tmp_path, silent, jars=[jar()], fetch=Shop(flour=b"flour"))

    assert is_whole(folder / jar().file, jar())


def test_without_a_network_the_sentence_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedKafkaFailed) as told:
        ensure_jars(tmp_path, silent, jars=[jar()], fetch=Shop())

    assert str(told.value) == (
        "org.bakery:flour:1.0 cannot be fetched from Maven Central (no connection): "
        "connect this machine, or name a folder of Kafka's jars with KIRBY_KAFKA_JARS"
    )


def test_a_full_disk_is_told_as_such(tmp_path: Path) -> None:
    def full(wanted: Jar, folder: Path) -> Path:
        raise OSError(28, "No space left on device")

    with pytest.raises(EmbeddedKafkaFailed, match="No space left on device; make room"):
        ensure_jars(tmp_path, silent, jars=[jar()], fetch=full)


def test_a_cache_that_cannot_be_made_is_told_as_such(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    with pytest.raises(EmbeddedKafkaFailed, match="another folder with KIRBY_CACHE"):
        ensure_jars(tmp_path / "file", silent, jars=[jar()], fetch=Shop())


def test_progress_is_told_in_bytes_from_nothing_to_all(tmp_path: Path) -> None:
    told: list[tuple[Stage, int, int]] = []
    jars = [jar("flour", b"flour"), jar("salt", b"salt")]

    ensure_jars(
        tmp_path,
        lambda *news: told.append(news),
        jars=jars,
        fetch=Shop(flour=b"flour", salt=b"salt"),
    )

    assert told[0] == (Stage.FETCH, 0, 9)
    assert told[-1] == (Stage.FETCH, 9, 9)


def test_a_fetch_that_is_killed_leaves_nothing_half_and_the_next_goes_on(tmp_path: Path) -> None:
    killed = subprocess.run(
        [sys.executable, "-c", KILLED_IN_THE_MIDDLE, str(tmp_path)], check=False, env=_environment()
    )
    left = {path.name for path in (tmp_path / FOLDER).iterdir()}
    shop = Shop(flour=b"flour", salt=b"salt")

    folder = ensure_jars(
        tmp_path, silent, jars=[jar("flour", b"flour"), jar("salt", b"salt")], fetch=shop
    )

    assert killed.returncode == -signal.SIGKILL
    assert left <= {"flour-1.0.jar"}
    assert "salt" in shop.asked
    assert {path.name for path in folder.iterdir()} == {"flour-1.0.jar", "salt-1.0.jar"}
    assert not (tmp_path / f"{FOLDER}.fetch").exists()


KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from kirby.kafka.jars import ensure_jars
from kirby.kafka.progress import silent
from tests.unit.kafka.test_jars import Shop, jar

def fetch(wanted, folder):
    if wanted.name == "salt":
        folder.mkdir(parents=True)
        (folder / "draft").write_bytes(b"sa")
        os.kill(os.getpid(), signal.SIGKILL)
    return Shop(flour=b"flour")(wanted, folder)

jars = [jar("flour", b"flour"), jar("salt", b"salt")]
ensure_jars(Path(sys.argv[1]), silent, jars=jars, fetch=fetch)
"""


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}

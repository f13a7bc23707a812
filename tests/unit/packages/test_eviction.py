import os
import subprocess
import sys
from pathlib import Path

import msgspec

from kirby.packages.environments import MANIFEST, Manifest, Places
from kirby.packages.eviction import Entry, Limits, evict, in_use, surplus, sweep
from kirby.packages.locks import held

NOW = 1_800_000_000.0
HOUR = 3600.0


def entry(key: str, hours_ago: float, own_bytes: int = 100) -> Entry:
    return Entry(key=key, used=NOW - hours_ago * HOUR, own_bytes=own_bytes)


def places_in(folder: Path) -> Places:
    places = Places(folder=folder, python=sys.executable, own_digest="0")
    places.prepare()
    return places


def an_environment(places: Places, key: str, hours_ago: float) -> Path:
    path = places.folder / key
    (path / "bin").mkdir(parents=True)
    manifest = Manifest(package=key, module=key, python="", own_digest="0", own_bytes=100)
    (path / MANIFEST).write_bytes(msgspec.json.encode(manifest))
    os.utime(path / MANIFEST, (NOW, NOW - hours_ago * HOUR))
    return path


def test_the_least_recently_used_go_first() -> None:
    entries = [entry("new", 2), entry("old", 9), entry("middle", 5)]

    going = surplus(entries, Limits(count=1), NOW)

    assert [e.key for e in going] == ["old", "middle"]


def test_nothing_goes_within_the_limits() -> None:
    assert surplus([entry("old", 9), entry("older", 99)], Limits(count=2), NOW) == []


def test_bytes_count_as_well_as_numbers() -> None:
    entries = [entry("old", 9, 700), entry("older", 10, 10), entry("new", 5, 700)]

    going = surplus(entries, Limits(own_bytes=1000), NOW)

    assert [e.key for e in going] == ["older", "old"]


def test_what_was_used_within_the_hour_stays_whatever_the_limits() -> None:
    entries = [entry("now", 0.5), entry("old", 2)]

    assert [e.key for e in surplus(entries, Limits(count=0), NOW)] == ["old"]


def test_an_environment_over_the_limit_is_removed_with_its_lock(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    old, new = an_environment(places, "old", 9), an_environment(places, "new", 2)
    with held(places.lock("old")):
        pass

    gone = evict(places, Limits(count=1), NOW)
    sweep(places, NOW)

    assert gone == ["old"]
    assert (old.exists(), new.exists()) == (False, True)
    assert list(places.drafts.iterdir()) == list(places.locks.iterdir()) == []


def test_an_environment_that_is_being_built_is_left_alone(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    old = an_environment(places, "old", 9)
    draft = places.drafts / "old@1"
    draft.mkdir()

    with held(places.lock("old")):
        gone = evict(places, Limits(count=0), NOW)
        sweep(places, NOW)

    assert gone == []
    assert old.exists()
    assert draft.exists()


def test_a_draft_that_nobody_works_on_is_swept(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    (places.drafts / "old@1" / "environment").mkdir(parents=True)

    sweep(places, NOW)

    assert list(places.drafts.iterdir()) == []


def test_an_environment_whose_program_runs_is_in_use(tmp_path: Path) -> None:
    places = places_in(tmp_path)
    old = an_environment(places, "old", 9)
    an_environment(places, "idle", 9)
    (old / "bin" / "python").symlink_to(sys.executable)
    code = "import sys; print(flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [old / "bin" / "python", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as script:
        assert script.stdout is not None
        script.stdout.readline()

        busy = in_use([old, tmp_path / "idle"])
        gone = evict(places, Limits(count=0), NOW)

        script.communicate()
    assert busy == {old}
    assert gone == ["idle"]
    assert old.exists()

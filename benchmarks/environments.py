"""How long a script waits for its environment, beside the bare installer in the same minute.

    python benchmarks/environments.py [--builds 10]

Warm means: the installer's cache has every package. Each figure is the median of the builds, in
milliseconds; run it on a quiet machine. Ends with status 1 if a build takes more than LIMIT times
what the bare installer does.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from uv import find_uv_bin

from kirby.core.requirement import Requirement
from kirby.packages.environments import base_python
from kirby.packages.outcome import BuildReady
from kirby.packages.own_wheel import own_wheel
from kirby.packages.sources import Sources
from kirby.packages.store import EnvironmentStore
from kirby.packages.uv import scrubbed
from tests.builders.packages import TOKEN, a_wheel, an_index, served

BARE = "  of it the bare uv venv + uv pip install"
LIMIT = 3.0  # a process that imports the builder, and looks at what was installed


def main() -> int:
    """Return 0 if the limit was kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--builds", type=int, default=10)
    builds = parser.parse_args().builds
    with TemporaryDirectory() as place, _filled_index(Path(place), builds) as address:
        folder = Path(place)
        own = own_wheel(folder / "own", digest="0", surroundings=scrubbed(os.environ))
        store = EnvironmentStore(
            folder / "state", sources=Sources(built_in=(f"{address}simple/",), token=TOKEN)
        )
        _built(store, 0)  # fills the caches
        _bare(folder, 0, address, own.requirement)
        rows = {
            "find": _median(builds, lambda n: store.find(_package(0))),
            "build": _median(builds, lambda n: _built(store, n)),
            BARE: _median(builds, lambda n: _bare(folder, n, address, own.requirement)),
            "  of it starting a process that imports the builder": _median(
                builds, lambda n: _ran([sys.executable, "-c", "import kirby.packages.build"], {})
            ),
        }
        for name, milliseconds in rows.items():
            print(f"{name:<52} {milliseconds:9.2f} ms")
    ratio = rows["build"] / rows[BARE]
    print(f"a build takes {ratio:.2f} times the bare installer (limit {LIMIT})")
    return 0 if ratio <= LIMIT else 1


def _median(times: int, do: Callable[[int], object]) -> float:
    taken = []
    for number in range(1, times + 1):
        begun = time.perf_counter()
        do(number)
        taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def _package(number: int) -> Requirement:
    return Requirement(name="forecast", version=f"1.{number}")


def _built(store: EnvironmentStore, number: int) -> None:
    assert isinstance(store.start_build(_package(number)).result(), BuildReady)


def _bare(folder: Path, number: int, address: str, own: str) -> None:
    place = folder / "bare" / str(number)
    netrc = folder / "netrc"
    netrc.write_text(f"machine 127.0.0.1 login __token__ password {TOKEN}\n")
    override = folder / "override.txt"
    override.write_text(own)
    surroundings = scrubbed(os.environ, netrc=netrc)
    uv = [find_uv_bin(), "-q", "--no-config", "--no-python-downloads"]
    _ran([*uv, "venv", "--relocatable", "--python", base_python(), str(place)], surroundings)
    install = ["pip", "install", "--python", f"{place}/bin/python", "--compile-bytecode"]
    install += ["--link-mode", "hardlink", "--no-build", "--index", f"{address}simple/"]
    install += ["--override", str(override), str(_package(number)), own]
    _ran([*uv, *install], surroundings)


def _ran(command: list[str], surroundings: dict[str, str]) -> None:
    subprocess.run(command, env=surroundings or None, check=True)


@contextmanager
def _filled_index(folder: Path, builds: int) -> Iterator[str]:
    packages = folder / "index"
    packages.mkdir()
    for number in range(builds + 1):
        filename, content = a_wheel("forecast", f"1.{number}")
        (packages / filename).write_bytes(content)
    with served(an_index(packages)) as address:
        yield address


if __name__ == "__main__":
    sys.exit(main())

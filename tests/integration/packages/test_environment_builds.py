"""Builds with the real installer: own packages from an index on loopback, others as configured."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from kirby.core.requirement import Requirement, parse_requirement
from kirby.packages.environments import MANIFEST
from kirby.packages.eviction import Limits
from kirby.packages.outcome import BuildFault, BuildReady, Outcome
from kirby.packages.sources import Sources
from kirby.packages.store import EnvironmentStore
from tests.builders.packages import TOKEN, a_wheel, an_index, served

pytestmark = pytest.mark.integration

FORECAST = parse_requirement("forecast==0.9.2")
NOBODY = "http://127.0.0.1:9/simple/"  # the discard port: nothing listens there


class Bench:
    """A state folder, and an index that can be filled."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self.address = address
        self.state = folder / "state"

    def publish(self, name: str = "forecast", version: str = "0.9.2", **details: object) -> None:
        filename, content = a_wheel(name, version, **details)  # type: ignore[arg-type]
        (self.folder / "index" / filename).write_bytes(content)

    def sources(self, **changes: object) -> Sources:
        given: dict[str, object] = {"built_in": (f"{self.address}simple/",), "token": TOKEN}
        return Sources(**{**given, **changes})  # type: ignore[arg-type]

    def store(self, **changes: object) -> EnvironmentStore:
        return EnvironmentStore(self.state, sources=self.sources(**changes))

    def builds(self, package: str = "forecast==0.9.2", **changes: object) -> Outcome:
        return self.store(**changes).start_build(parse_requirement(package)).result()

    def drafts(self) -> list[Path]:
        folder = self.state / "environments" / ".drafts"
        return list(folder.iterdir()) if folder.exists() else []


def prints(store: EnvironmentStore, requirement: Requirement = FORECAST) -> str:
    environment = store.find(requirement)
    assert environment is not None
    # `-m` looks in the working directory first, and scripts have one of their own.
    ran = subprocess.run(environment.command, cwd="/", capture_output=True, text=True, check=True)
    return ran.stdout.strip()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    index = an_index(tmp_path / "index")
    with served(index) as address:
        yield Bench(tmp_path, address)


def test_a_published_package_is_built_found_and_run(bench: Bench) -> None:
    bench.publish()
    store = bench.store()
    assert store.find(FORECAST) is None

    outcome = store.start_build(FORECAST).result()

    assert isinstance(outcome, BuildReady)
    assert prints(store) == "hello"
    assert prints(bench.store()) == "hello"


def test_every_environment_has_this_kirby_and_not_the_one_of_an_index(bench: Bench) -> None:
    code = "import kirby, _kirby_gate; print(kirby.__version__, kirby.__file__)"
    bench.publish(files={"forecast/__init__.py": "", "forecast/__main__.py": code})
    bench.publish("sensor-sales", requires=("kirby", "forecast==0.9.2"))
    foreign, content = a_wheel("kirby", "99.0", files={"kirby/__init__.py": "__version__ = '99'"})
    (bench.folder / "index" / foreign).write_bytes(content)
    store = bench.store()

    for package in ("forecast==0.9.2", "sensor-sales==0.9.2"):
        assert isinstance(bench.builds(package), BuildReady)

    version, file = prints(store).split()
    assert version == "0.1.0"
    assert file.startswith(str(bench.state))


def test_a_package_of_the_default_index_can_be_a_dependency(bench: Bench) -> None:
    code = "import idna; print(idna.encode('böse.test').decode())"
    bench.publish(requires=("idna",), files={"forecast/__main__.py": code})

    assert isinstance(bench.builds(), BuildReady)

    assert prints(bench.store()) == "xn--bse-sna.test"


def test_the_built_in_index_wins_over_the_default_one(bench: Bench) -> None:
    bench.publish("idna", "3.10", files={"idna/__main__.py": "print('ours')"})

    assert isinstance(bench.builds("idna==3.10"), BuildReady)

    assert prints(bench.store(), parse_requirement("idna==3.10")) == "ours"


def test_a_script_may_need_another_version_of_what_kirby_brings_and_disturbs_nobody(
    bench: Bench,
) -> None:
    code = "import msgspec, kirby; print(msgspec.__version__)"
    bench.publish(files={"forecast/__main__.py": code})
    bench.publish("old", files={"old/__main__.py": code}, requires=("msgspec==0.19.0",))
    assert isinstance(bench.builds(), BuildReady)
    before = prints(bench.store())

    assert isinstance(bench.builds("old==0.9.2"), BuildReady)

    assert prints(bench.store(), parse_requirement("old==0.9.2")) == "0.19.0"
    assert prints(bench.store()) == before != "0.19.0"


def test_a_further_environment_costs_little_more_than_its_own_package(bench: Bench) -> None:
    for version in ("1.0", "1.1"):
        bench.publish(version=version)
        assert isinstance(bench.builds(f"forecast=={version}"), BuildReady)

    manifest = bench.store().find(parse_requirement("forecast==1.1"))

    assert manifest is not None
    own_bytes = json.loads((manifest.path / MANIFEST).read_text())["own_bytes"]
    assert own_bytes < 500_000  # measured: 80,000


def test_an_environment_is_compiled_and_linked_and_may_be_moved(bench: Bench) -> None:
    bench.publish()
    assert isinstance(bench.builds(), BuildReady)
    environment = bench.store().find(FORECAST)
    assert environment is not None

    moved = environment.path.rename(bench.folder / "elsewhere")
    ran = subprocess.run(
        [moved / "bin/python", "-m", "forecast"],
        cwd="/",
        capture_output=True,
        text=True,
        check=True,
    )

    [main] = moved.glob("lib/python*/site-packages/forecast/__main__.py")
    assert ran.stdout == "hello\n"
    assert main.stat().st_nlink > 1
    assert list((main.parent / "__pycache__").glob("__main__.*.pyc"))


def test_a_killed_build_leaves_nothing_and_the_next_one_succeeds(bench: Bench) -> None:
    bench.publish()
    store = bench.store()
    site_packages = "environment/lib/python*/site-packages"
    stages = (
        "forecast-*@*",
        ".foundation-*@*/environment",
        f".foundation-*@*/{site_packages}",
        f"forecast-*@*/{site_packages}",
        f"forecast-*@*/{site_packages}/forecast",
    )
    for stage in stages:
        left_over = set(bench.drafts())
        build = store.start_build(FORECAST)
        _wait_for_draft(bench, stage, left_over)

        os.kill(build.pid, signal.SIGKILL)

        outcome = build.result()
        assert isinstance(outcome, BuildFault), stage
        assert outcome.temporary
        assert "was killed by SIGKILL" in outcome.sentence
        assert store.find(FORECAST) is None

    again = store.start_build(FORECAST).result()

    assert isinstance(again, BuildReady)
    assert prints(store) == "hello"
    assert bench.drafts() == []


def _wait_for_draft(bench: Bench, pattern: str, left_over: set[Path]) -> None:
    deadline = time.monotonic() + 60
    folder = bench.state / "environments" / ".drafts"
    while time.monotonic() < deadline:
        if any(left_over.isdisjoint([path, *path.parents]) for path in folder.glob(pattern)):
            return
        time.sleep(0.001)
    raise AssertionError(f"no build got as far as {pattern}")


def test_the_installer_dies_with_a_build_that_is_killed(bench: Bench) -> None:
    bench.publish()
    # An index that never answers holds the installer for as long as we like.
    build = bench.store(default="http://127.0.0.1:9/simple/").start_build(FORECAST)
    installer = _first_child(build.pid)

    os.kill(build.pid, signal.SIGKILL)

    build.result()
    gone, alive = psutil.wait_procs([installer], timeout=10)
    assert (len(gone), alive) == (1, [])


def _first_child(pid: int) -> psutil.Process:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        children = psutil.Process(pid).children()
        if children:
            return children[0]
        time.sleep(0.005)
    raise AssertionError("the build started no installer")


def test_two_builds_of_one_environment_wait_for_each_other(bench: Bench) -> None:
    bench.publish()
    store = bench.store()

    both = [store.start_build(FORECAST), store.start_build(FORECAST)]
    outcomes = [build.result() for build in both]

    assert [type(outcome) for outcome in outcomes] == [BuildReady, BuildReady]
    assert prints(store) == "hello"
    assert bench.drafts() == []


def test_an_environment_whose_interpreter_is_gone_is_built_again(bench: Bench) -> None:
    bench.publish()
    assert isinstance(bench.builds(), BuildReady)
    store = bench.store()
    environment = store.find(FORECAST)
    assert environment is not None
    environment.python.unlink()

    assert store.find(FORECAST) is None
    assert isinstance(bench.builds(), BuildReady)

    assert prints(store) == "hello"


@pytest.mark.parametrize(
    ("package", "sentence"),
    [
        ("forecst==0.9.2", "no such package in the index; did you mean forecast?"),
        ("forecast==9.9", "no such version in the index; it has 0.9.1, 0.9.2"),
    ],
)
def test_what_is_not_in_the_index_gets_a_hint(bench: Bench, package: str, sentence: str) -> None:
    bench.publish(version="0.9.1")
    bench.publish(version="0.9.2")

    outcome = bench.builds(package)

    assert isinstance(outcome, BuildFault)
    assert outcome.kind == "PackageNotFound"
    assert outcome.sentence == f'package "{package}": {sentence}'


def test_a_package_without_a_main_cannot_be_a_script(bench: Bench) -> None:
    bench.publish(files={"forecast/__init__.py": "raise SystemExit('never run by a build')"})

    outcome = bench.builds()

    assert isinstance(outcome, BuildFault)
    assert (outcome.kind, outcome.temporary) == ("NoMainModule", False)
    assert "add forecast/__main__.py" in outcome.sentence
    assert bench.store().find(FORECAST) is None


def test_a_package_for_another_python_says_which(bench: Bench) -> None:
    bench.publish(python=">=3.99")

    outcome = bench.builds()

    assert isinstance(outcome, BuildFault)
    assert (outcome.kind, outcome.temporary) == ("RequiresPython", False)
    assert "it requires Python >=3.99" in outcome.sentence


def test_a_requirement_that_nobody_has_is_told(bench: Bench) -> None:
    bench.publish(requires=("idna>9999",))

    outcome = bench.builds()

    assert isinstance(outcome, BuildFault)
    assert outcome.kind == "DependenciesUnmet"
    assert "depend on idna>9999" in outcome.sentence


def test_a_package_without_a_wheel_needs_leave_to_be_built(bench: Bench) -> None:
    outcome = bench.builds("docopt==0.6.2")  # on the public index as a source archive only

    assert isinstance(outcome, BuildFault)
    assert (outcome.kind, outcome.temporary) == ("SourceBuildsNotAllowed", False)


def test_with_leave_a_package_is_built_from_source(bench: Bench) -> None:
    docopt = parse_requirement("docopt==0.6.2")

    outcome = bench.store().start_build(docopt, source_builds=True).result()

    assert isinstance(outcome, BuildReady)
    assert outcome.module == "docopt"


def test_a_built_in_index_that_is_down_is_told_at_once_and_is_temporary(bench: Bench) -> None:
    outcome = bench.builds(built_in=(NOBODY,))

    assert isinstance(outcome, BuildFault)
    assert (outcome.kind, outcome.temporary) == ("IndexUnreachable", True)
    assert NOBODY in outcome.sentence


def test_the_next_web_service_is_asked_when_the_first_is_down(bench: Bench) -> None:
    bench.publish()

    outcome = bench.builds(built_in=(NOBODY, f"{bench.address}simple/"))

    assert isinstance(outcome, BuildReady)


def test_a_default_index_that_is_down_is_temporary(bench: Bench) -> None:
    bench.publish(requires=("idna",))

    outcome = bench.builds(default=NOBODY)

    assert isinstance(outcome, BuildFault)
    assert (outcome.kind, outcome.temporary) == ("IndexUnreachable", True)
    assert NOBODY in outcome.sentence


def test_a_wrong_token_is_refused_and_nothing_comes_from_elsewhere(bench: Bench) -> None:
    outcome = bench.builds("idna==3.10", token="kby_wrong")

    assert isinstance(outcome, BuildFault)
    assert (outcome.kind, outcome.temporary) == ("IndexRefused", True)


def test_the_token_is_on_no_command_line_and_in_no_file_that_stays(bench: Bench) -> None:
    bench.publish()
    build = bench.store().start_build(FORECAST)
    seen = set()
    while not build.has_ended():
        seen |= _command_lines(build.pid)

    assert isinstance(build.result(), BuildReady)
    assert any("pip install" in line for line in seen)
    assert not any(TOKEN in line for line in seen)
    stays = [path for path in bench.state.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not any(TOKEN.encode() in path.read_bytes() for path in stays)


def _command_lines(pid: int) -> set[str]:
    found = set()
    with suppress(psutil.Error):
        build = psutil.Process(pid)
        for process in (build, *build.children()):
            found.add(" ".join(process.cmdline()))
    return found


@pytest.mark.parametrize("package", ["--index-url==1", "-r==1", "../x==1", "kirby==0.1.0", "x"])
def test_a_name_that_is_none_is_refused_again_before_use(bench: Bench, package: str) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "kirby.packages.build"),
            *("--state", str(bench.state), f"--package={package}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.returncode == 1
    assert '"kind":"InvalidRequirement"' in ran.stdout
    assert list((bench.state / "environments").glob("[!.]*")) == []


def test_the_environment_that_was_used_least_recently_makes_room(bench: Bench) -> None:
    versions = [parse_requirement(f"forecast==1.{n}") for n in range(3)]
    limits = Limits(count=2, recent_seconds=0)
    store = EnvironmentStore(bench.state, sources=bench.sources(), limits=limits)
    for requirement in versions[:2]:
        bench.publish(version=requirement.version)
        assert isinstance(store.start_build(requirement).result(), BuildReady)
    _last_used(store, versions[0], hours_ago=1)
    _last_used(store, versions[1], hours_ago=2)
    bench.publish(version=versions[2].version)

    assert isinstance(store.start_build(versions[2]).result(), BuildReady)

    assert [store.find(requirement) is not None for requirement in versions] == [True, False, True]


def _last_used(store: EnvironmentStore, requirement: Requirement, hours_ago: float) -> None:
    environment = store.find(requirement)
    assert environment is not None
    then = time.time() - hours_ago * 3600
    os.utime(environment.path / MANIFEST, (then, then))


def test_finding_an_environment_counts_as_a_use(bench: Bench) -> None:
    bench.publish()
    assert isinstance(bench.builds(), BuildReady)
    _last_used(bench.store(), FORECAST, hours_ago=5)

    environment = bench.store().find(FORECAST)

    assert environment is not None
    assert time.time() - (environment.path / MANIFEST).stat().st_mtime < 3600


def test_the_built_in_index_is_reached_past_a_proxy(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.publish()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")

    assert isinstance(bench.builds(), BuildReady)


def test_settings_of_the_installer_that_lie_about_change_nothing(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.publish()
    monkeypatch.setenv("UV_DEFAULT_INDEX", NOBODY)
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")

    assert isinstance(bench.builds(), BuildReady)


def test_a_build_that_is_killed_by_the_one_who_asked_leaves_no_process(bench: Bench) -> None:
    bench.publish()
    build = bench.store().start_build(FORECAST)
    installer = _first_child(build.pid)

    build.kill()

    assert isinstance(build.result(), BuildFault)
    assert psutil.wait_procs([installer], timeout=10)[1] == []

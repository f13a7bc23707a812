from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.shim_host import Host, environment


@pytest.fixture(params=["groups", "no groups"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    """A host whose processes are found by control groups, and one without these."""
    host = Host(tmp_path / "state", groups=request.param == "groups").start()
    yield host
    host.end()


@pytest.fixture
def one_host(tmp_path: Path) -> Iterator[Host]:
    """A host, where it makes no difference how processes are found."""
    host = Host(tmp_path / "state").start()
    yield host
    host.end()


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The interpreter of an environment with the gate and some packages."""
    folder = tmp_path_factory.mktemp("environment")
    environment(
        folder,
        "bread=print('bread', flush=True)",
        "slow=import time\nprint('slow', flush=True)\ntime.sleep(600)",
    )
    return str(folder / "bin" / "python")

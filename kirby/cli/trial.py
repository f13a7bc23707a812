"""An environment for a script that is not published: built from a wheel, thrown away afterwards."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from wsgiref.simple_server import WSGIRequestHandler, make_server

from kirby.core.errors import InstallationError
from kirby.packages.environments import Environment
from kirby.packages.index import create_index
from kirby.packages.outcome import BuildFault
from kirby.packages.sources import Sources
from kirby.packages.store import EnvironmentStore
from kirby.packages.wheel_file import Wheel

LOOPBACK = "127.0.0.1"


@contextmanager
def trial_environment(wheel: Wheel, *, package_index: str = "") -> Iterator[Environment]:
    """Build an environment with the wheel, as a host would, from an index that has only it.

    Args:
        wheel: the script's package.
        package_index: where its dependencies come from; empty: the public index.

    Raises:
        InstallationError: with the reason.
    """
    with TemporaryDirectory(prefix="kirby-exec-") as place, _served(wheel, Path(place)) as address:
        sources = Sources(built_in=(address,), default=package_index)
        store = EnvironmentStore(Path(place), sources=sources)
        outcome = store.start_build(wheel.requirement, source_builds=True).result()
        environment = store.find(wheel.requirement)
        if isinstance(outcome, BuildFault):
            raise InstallationError(outcome.sentence)
        if environment is None:
            raise InstallationError(f'package "{wheel.requirement}": its environment is not there')
        yield environment


@contextmanager
def _served(wheel: Wheel, place: Path) -> Iterator[str]:
    """Serve the wheel on loopback while an environment is built from it."""
    folder = place / "index"
    index = create_index(folder, _nobody, _anybody, lambda filename, content: None)
    (folder / wheel.filename).write_bytes(wheel.content)
    with make_server(LOOPBACK, 0, index, handler_class=_Silent) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://{LOOPBACK}:{server.server_port}/simple/"
        server.shutdown()


class _Silent(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Keep quiet: the installer's own words are told where they matter."""


def _nobody(_token: str | None) -> bool:
    return False


def _anybody(_token: str | None) -> bool:
    return True

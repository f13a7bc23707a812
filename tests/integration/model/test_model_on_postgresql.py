"""The tests of model and web once more, on a real PostgreSQL: nothing there is SQLite's alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kirby.model.database import bind, connect, connection, database
from tests.builders.databases import CHOSEN
from tests.postgresql_for_tests import shared_postgresql

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
LIMIT_S = 280
QUIETLY = ("-q", "-x", "-p", "no:cacheprovider")


@pytest.mark.parametrize("part", ["model", "web"])
def test_what_holds_on_sqlite_holds_on_postgresql(part: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pytest", *QUIETLY, f"--basetemp={tmp_path / 'again'}"]
    surroundings = {**os.environ, CHOSEN: "postgresql"}

    again = subprocess.run(
        [*command, f"tests/unit/{part}"], cwd=ROOT, env=surroundings, timeout=LIMIT_S,
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert again.returncode == 0, again.stdout[-20_000:] + again.stderr[-5_000:]


def test_it_is_really_postgresql() -> None:
    bind(connect(shared_postgresql().upgraded()))

    with connection():
        told = database.execute_sql("SELECT version()").fetchone()[0]

    assert "PostgreSQL" in told

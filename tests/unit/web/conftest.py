from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.web import Service, a_service


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with a_service(tmp_path) as started:
        yield started

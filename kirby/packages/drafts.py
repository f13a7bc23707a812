"""Where something is made before it is moved into its place, whole."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kirby.packages.environments import PRIVATE_FOLDER, Places


@contextmanager
def draft_of(places: Places, key: str) -> Iterator[Path]:
    """Make a private folder to build in, gone afterwards.

    The caller holds the lock of `key`, so what lies there already is left over from a killed build.
    """
    for stale in places.drafts.glob(f"{key}@*"):
        shutil.rmtree(stale, ignore_errors=True)
    draft = places.drafts / f"{key}@{os.getpid()}-{os.urandom(4).hex()}"
    draft.mkdir(mode=PRIVATE_FOLDER)
    try:
        yield draft
    finally:
        shutil.rmtree(draft, ignore_errors=True)

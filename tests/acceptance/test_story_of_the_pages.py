"""Every snippet of the pages that the shell can run is run, page by page, on a living host."""

import os
import re
import subprocess
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.builders.pages import ROOT, Snippet, pages, snippets_of
from tests.stories.host import Host

pytestmark = pytest.mark.acceptance

LIMIT_S = 240.0  # of one block; the longest builds the environment of a script twice
SHELL = ("bash", "-euo", "pipefail")
NOT_OF_THE_READER = ("KIRBY_URL", "KIRBY_TOKEN", "KIRBY_STATE")
WITH_SHELL = [path for path in pages() if any(each.kind == "sh" for each in snippets_of(path))]


class Reader:
    """Somebody who reads a page and does what it says, in a folder of their own."""

    def __init__(self, host: Host, folder: Path) -> None:
        self._folder = folder
        (folder / ".venv").symlink_to(ROOT / ".venv")
        inherited = {k: v for k, v in os.environ.items() if k not in NOT_OF_THE_READER}
        self._environment = {
            **inherited,
            "PATH": f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}",
            "KIRBY_STATE": str(host.state),
            "COLUMNS": "200",
        }
        self._said = ""

    def follows(self, snippet: Snippet) -> None:
        """Write down a file, type what is to be typed, or compare what was said."""
        if snippet.kind == "sh":
            self._said = self._types(snippet)
        elif snippet.kind == "text" and not snippet.name:
            self._compares(snippet)
        elif "." in snippet.name:
            (self._folder / snippet.name).write_text(snippet.text)

    def _types(self, snippet: Snippet) -> str:
        done = subprocess.run(
            [*SHELL, "-c", snippet.text],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
        assert done.returncode == 0, f"{snippet}: exit {done.returncode}\n{done.stdout}"
        return done.stdout

    def _compares(self, snippet: Snippet) -> None:
        at = 0
        for line in snippet.text.splitlines():
            pattern = ".*".join(re.escape(part) for part in line.split("…"))
            found = re.compile(rf"^{pattern} *$", re.M).search(self._said, at)
            assert found, f"{snippet}: {line!r} is not what was said:\n{self._said}"
            at = found.end()


@contextmanager
def tidied(host: Host, path: Path) -> Iterator[None]:
    """Let nothing of a page run on when it has been read."""
    try:
        yield
    finally:
        for snippet in snippets_of(path):
            if snippet.kind == "toml" and snippet.name.endswith(".toml"):
                for job in tomllib.loads(snippet.text).get("job", {}):
                    host.kirby("disable", job)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("path", WITH_SHELL, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_says_can_be_done(path, shared_host, tmp_path):
    reader = Reader(shared_host, tmp_path)

    with tidied(shared_host, path):
        for snippet in snippets_of(path):
            reader.follows(snippet)

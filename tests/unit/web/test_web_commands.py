"""Every command that a page or a sentence names is one that the command line has."""

import re
import shlex
from pathlib import Path

import pytest

import kirby
from kirby.cli.grammar import parse
from tests.builders.web import Service
from tests.unit.web.test_web_pages import PAGES, full

__all__ = ["full"]
SOURCES = [
    path
    for part in ("web", "model", "host")
    for path in (Path(kirby.__file__).parent / part).rglob("*.py")
]
SHOWN = re.compile(r'class="command"[^>]*>([^<]+)<')


@pytest.mark.parametrize("path", PAGES)
def test_what_a_page_shows_can_be_typed(path: str, full: Service) -> None:
    for shown in SHOWN.findall(full.call("GET", path).text):
        words = shlex.split(shown.replace("&quot;", '"').replace("&#x27;", "'"))
        assert words[0] == "kirby"
        parse(words[1:])


def test_what_a_sentence_names_can_be_typed() -> None:
    named = {
        command
        for source in SOURCES
        for command in re.findall(r"'kirby ([a-z-]+)", source.read_text())
    }

    for command in named:
        with pytest.raises(SystemExit) as asked:
            parse([command, "--help"])
        assert asked.value.code == 0, command

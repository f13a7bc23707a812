"""What scripts and people write never steers the terminal of whoever looks at it."""

import io
import json

import pytest
from rich.console import Console
from rich.text import Text

from kirby.cli.commands.logs import _worded
from kirby.cli.terminal import Terminal
from kirby.core.visible import escaped_json, visible

EVIL = "\x1b]0;mine\x07\x1b[2J\x9b31m\rgone\x08\x7f\u202eabc\udc80"
HARMLESS = "␛]0;mine␇␛[2J\ufffd31m␍gone␈␡\ufffdabc\ufffd"


def a_terminal(*, as_json: bool = False) -> tuple[Terminal, io.StringIO]:
    said = io.StringIO()
    console = Console(file=said, force_terminal=False, highlight=False, soft_wrap=True, width=200)
    return Terminal(as_json=as_json, out=console, err=console), said


def test_what_a_terminal_would_obey_becomes_what_is_seen():
    assert visible(EVIL) == HARMLESS
    assert len(visible(EVIL)) == len(EVIL)


@pytest.mark.parametrize(
    "text", ["", "118 sales", "a\tb\nc", "crème brûlée – 12 €", "مرحبا", "日本"]
)
def test_ordinary_text_stays_as_it_is(text):
    assert visible(text) == text


@pytest.mark.parametrize("way", ["say", "note"])
@pytest.mark.parametrize("kind", [str, Text])
def test_no_sentence_steers_the_terminal(way, kind):
    terminal, said = a_terminal()

    getattr(terminal, way)(kind(EVIL))

    assert not set(said.getvalue().rstrip("\n")) & set("\x1b\x07\x9b\r\x08\x7f\u202e\udc80")
    assert "␛[2J" in said.getvalue()


def test_no_cell_of_a_table_steers_the_terminal():
    terminal, said = a_terminal()

    terminal.table(("job", "why"), [("pump/prod", EVIL), ("tap/prod", Text(EVIL))])

    assert "\x1b" not in said.getvalue()
    assert said.getvalue().count("␛[2J") == 2


def test_no_line_of_a_log_steers_the_terminal():
    terminal, said = a_terminal()
    line = {"at": None, "stream": "out", "level": "", "text": EVIL, "cut": False}

    terminal.say(_worded(line))

    assert HARMLESS in said.getvalue()


def test_colours_of_a_text_stay_where_they_were():
    said = io.StringIO()
    console = Console(file=said, force_terminal=True, color_system="standard", width=200)

    Terminal(out=console).say(Text("a\x1bb", style="red"))

    assert said.getvalue() == "\x1b[31ma␛b\x1b[0m\n"


@pytest.mark.parametrize("way", ["data", "line"])
def test_json_keeps_what_was_written_and_escapes_it(way):
    terminal, said = a_terminal(as_json=True)

    getattr(terminal, way)({"text": EVIL})

    assert json.loads(said.getvalue()) == {"text": EVIL}
    assert said.getvalue().rstrip("\n").isprintable() or way == "data"
    assert not set(said.getvalue()) & set("\x1b\x07\x9b\r\x08\x7f\u202e\udc80")


def test_json_of_ordinary_text_is_left_alone():
    assert escaped_json('{"a": "crème"}') == '{"a": "crème"}'

"""Every snippet of the pages: read, compiled or parsed here; the shell's are run in acceptance."""

import contextlib
import io
import logging
import re
import shlex
import tomllib
from pathlib import Path

import pytest

from kirby.cli.document_file import read_document as read_file
from kirby.cli.grammar import parse
from kirby.core.configuration import Machine, configure
from kirby.core.document.reading import read_document
from kirby.core.errors import InvalidDocument
from kirby.packages.single_file import wheel_of_file
from tests.builders.pages import Snippet, snippets

ENVIRONMENTS = {"prod", "dev", "test"}
MACHINE = Machine(hostname="alpha", cores=2, memory_bytes=8_000_000_000, state="/s")
SHELL = {"SHOP_TOKEN": "correct-horse"}
CONFIGURATION, BROKEN = "configuration", "broken.toml"

PYTHON = snippets("python")
SCRIPTS = [each for each in PYTHON if each.name]
DOCUMENTS = [each for each in snippets("toml") if each.name not in (CONFIGURATION, BROKEN)]


def data_of(snippet: Snippet, folder: Path) -> dict[str, object]:
    path = folder / "document.toml"
    path.write_text(snippet.text)
    return dict(read_file(path, SHELL).data)


def commands_of(snippet: Snippet) -> list[list[str]]:
    """List what follows `kirby` on the lines of a snippet; a console's lines have a prompt."""
    found = []
    text = re.sub(r"<<'END'.*?^END$", "", snippet.text, flags=re.S | re.M)
    text = re.sub(r"\$\w+", "1", text)  # whatever stands there, it may be a number
    for line in text.replace("\\\n", " ").splitlines():
        if snippet.kind == "console":
            if line[:2] not in ("$ ", "# "):
                continue
            line = line[2:]
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|<>;&")
        lexer.whitespace_split = True
        words = list(lexer)
        for at, word in enumerate(words):
            if word == "kirby" and all("=" in before for before in words[:at]):
                ends = [n for n, each in enumerate(words) if n > at and set(each) <= set("|<>;&")]
                found.append(words[at + 1 : min(ends, default=len(words))])
    return found


def test_every_block_is_of_a_kind_that_is_tried():
    odd = [str(each) for each in snippets("") if each.kind == ""]

    assert not odd
    assert {each.kind for each in snippets("sh", "console", "text", "toml", "python")}


@pytest.mark.parametrize("snippet", PYTHON, ids=str)
def test_python_compiles(snippet):
    compile(snippet.text, str(snippet), "exec")


@pytest.mark.parametrize("snippet", SCRIPTS, ids=str)
def test_a_script_becomes_a_package(snippet):
    wheel = wheel_of_file(snippet.name, snippet.text.encode())

    assert wheel.requirement.name == snippet.name.removesuffix(".py").replace("_", "-")
    assert wheel.summary.endswith(".")


@pytest.mark.parametrize("snippet", [each for each in PYTHON if not each.name], ids=str)
def test_python_that_is_no_script_runs(snippet):
    before = list(logging.getLogger().handlers)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            exec(compile(snippet.text, str(snippet), "exec"), {"__name__": "snippet"})
    finally:
        logging.getLogger().handlers[:] = before


@pytest.mark.parametrize("snippet", DOCUMENTS, ids=str)
def test_a_document_is_read(snippet, tmp_path):
    definitions = read_document(data_of(snippet, tmp_path), ENVIRONMENTS)

    assert definitions.jobs or definitions.suspensions


@pytest.mark.parametrize("snippet", DOCUMENTS, ids=str)
def test_a_package_that_a_document_runs_is_one_of_the_page(snippet, tmp_path):
    on_page = {
        str(wheel_of_file(each.name, each.text.encode()).requirement)
        for each in SCRIPTS
        if each.page == snippet.page
    }

    named = {
        job.package for job in read_document(data_of(snippet, tmp_path), ENVIRONMENTS).jobs.values()
    }

    assert snippet.name == "document" or named <= on_page


@pytest.mark.parametrize(
    "snippet", [each for each in snippets("toml") if each.name == CONFIGURATION], ids=str
)
def test_a_configuration_is_taken(snippet):
    assert configure(machine=MACHINE, file=tomllib.loads(snippet.text)).kafka


def test_the_broken_document_is_refused_as_the_page_shows(tmp_path):
    broken = next(each for each in snippets("toml") if each.name == BROKEN)
    shown = next(each for each in snippets("console") if f"apply {BROKEN}" in each.text)
    path = tmp_path / BROKEN
    path.write_text(broken.text)
    document = read_file(path)

    with pytest.raises(InvalidDocument) as refused:
        read_document(document.data, ENVIRONMENTS)

    told = str(document.blame(refused.value.faults)).replace(f"{tmp_path}/", "")
    assert told.splitlines() == shown.text.splitlines()[1:]


@pytest.mark.parametrize(
    "snippet", [each for each in snippets("sh", "console") if commands_of(each)], ids=str
)
def test_every_command_of_kirby_is_one(snippet):
    for words in commands_of(snippet):
        if words[0] == "COMMAND":
            continue
        with contextlib.redirect_stderr(io.StringIO()) as said:
            try:
                parse(words)
            except SystemExit:
                pytest.fail(f"kirby {' '.join(words)}: {said.getvalue()}")


def test_the_commands_of_the_pages_are_found():
    snippet = Snippet(
        page="p",
        line=1,
        kind="sh",
        name="",
        text="A=b kirby runs x --limit 2 | head\nkirby jobs # all\n",
    )

    assert commands_of(snippet) == [["runs", "x", "--limit", "2"], ["jobs"]]

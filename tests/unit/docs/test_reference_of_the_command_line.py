"""The page of the command line says what the parser takes, neither more nor less."""

import argparse

import pytest

from kirby.cli.grammar import parser
from kirby.core.errors import ExitCode
from tests.builders.pages import code, headings, page, rows, section

PAGE = "docs/reference/command-line.md"
OF_ALL = {"--json", "--debug", "--state", "-h", "--help"}


def commands() -> dict[str, argparse.ArgumentParser]:
    for action in parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("the parser has no commands")


def words_of(command: argparse.ArgumentParser) -> set[str]:
    """Every flag of a command, and what stands for each of its positional arguments."""
    words: set[str] = set()
    for action in command._actions:
        words |= set(action.option_strings)
        if not action.option_strings:
            words |= set(action.choices) if action.choices else {str(action.metavar)}
    return words


def test_every_command_has_a_section_and_no_section_is_without_its_command():
    assert sorted(headings(page(PAGE), 3)) == sorted(commands())


@pytest.mark.parametrize("name", sorted(commands()))
def test_the_section_of_a_command_names_its_flags_and_arguments(name):
    told = {
        piece.split()[0]
        for row in rows(section(page(PAGE), f"### {name}"))
        for piece in code(row[0])
    }

    assert told == words_of(commands()[name]) - OF_ALL


def test_the_flags_that_all_commands_share_are_told_once():
    first = page(PAGE).partition("\n## ")[0]

    told = {piece.split()[0] for row in rows(first) for piece in code(row[0])}

    assert told == OF_ALL - {"-h", "--help"}
    assert all(words_of(command) >= OF_ALL for command in commands().values())


def test_every_exit_code_is_told_with_its_name():
    told = {int(row[0]): code(row[1])[0] for row in rows(section(page(PAGE), "## Exit codes"))}

    assert told == {each.value: each.name for each in ExitCode}

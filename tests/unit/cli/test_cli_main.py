"""The command line as such: usage, exit codes, JSON, where the service is."""

import json
from argparse import Namespace

import pytest

from kirby.cli.connecting import service_of
from kirby.cli.grammar import parse, parser, run_of
from kirby.cli.main import main
from kirby.core.errors import ExitCode, NotPermitted, ServiceUnreachable


def test_an_unknown_command_is_one_sentence_and_its_own_exit_code(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["frobnicate"])

    assert ended.value.code == ExitCode.USAGE
    assert "invalid choice: 'frobnicate'" in capsys.readouterr().err


def test_every_command_has_a_sentence_and_takes_json():
    commands = parser()._subparsers._group_actions[0].choices

    for command in commands.values():
        assert command.description
        assert any("--json" in action.option_strings for action in command._actions)


def test_every_command_has_a_function():
    commands = parser()._subparsers._group_actions[0].choices

    for command in commands.values():
        assert callable(run_of(Namespace(run=command.get_default("run"))))


def test_without_a_service_the_sentence_says_what_to_do(tmp_path, capsys, monkeypatch):
    monkeypatch.delenv("KIRBY_URL", raising=False)

    code = main(["jobs", "--state", str(tmp_path)])

    assert code == ExitCode.UNREACHABLE
    assert "run 'kirby start'" in capsys.readouterr().err


def test_a_service_that_does_not_answer_is_told_with_its_address(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("KIRBY_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("KIRBY_TOKEN", "kby_x")

    code = main(["jobs", "--json"])

    told = capsys.readouterr()
    assert code == ExitCode.UNREACHABLE
    assert "http://127.0.0.1:9" in json.loads(told.out)["faults"][0]["sentence"]


def test_the_environment_comes_before_the_state_folder(tmp_path):
    (tmp_path / "token").write_text('{"url": "http://file", "token": "of-file"}')

    service = service_of(Namespace(state=str(tmp_path)), {"KIRBY_URL": "http://environment"})

    assert (service.url, service.token) == ("http://environment", "of-file")


def test_a_damaged_token_file_is_a_sentence(tmp_path):
    (tmp_path / "token").write_text("{")

    with pytest.raises(NotPermitted, match="cannot be read"):
        service_of(Namespace(state=str(tmp_path)), {})


def test_a_fault_of_kirbys_own_is_no_traceback_unless_asked_for(monkeypatch, capsys):
    monkeypatch.setattr("kirby.cli.commands.looking.service_of", lambda given: 1 / 0)

    code = main(["hosts"])

    told = capsys.readouterr().err
    assert code == ExitCode.BUG
    assert "Traceback" not in told
    assert "--debug" in told


def test_no_token_is_shown_in_what_python_prints_of_a_service():
    service = service_of(Namespace(state=None), {"KIRBY_URL": "u", "KIRBY_TOKEN": "secret"})

    assert "secret" not in repr(service)


def test_an_empty_state_folder_is_no_service(tmp_path):
    with pytest.raises(ServiceUnreachable):
        service_of(Namespace(state=str(tmp_path)), {})


def test_what_stands_after_two_dashes_is_for_the_script():
    given = parse(["exec", "a.py", "--env", "prod", "--", "--env", "x", "--"])

    assert (given.env, given.arguments) == ("prod", ["--env", "x", "--"])


def test_no_other_command_takes_what_stands_after_two_dashes(capsys):
    with pytest.raises(SystemExit):
        parse(["jobs", "--", "x"])

    assert "takes nothing after --" in capsys.readouterr().err

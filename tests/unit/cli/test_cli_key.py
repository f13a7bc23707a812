"""`kirby key`: show, take, list, and what each refuses."""

import io
import json
import stat

import pytest

from kirby.cli.main import main
from kirby.core.errors import ExitCode

ONE, OTHER = "31" * 32, "32" * 32


@pytest.fixture
def key(monkeypatch, capsys, tmp_path):
    """Give `kirby key` on a state folder, with what is typed into it."""

    def run(*words: str, typed: str = "") -> tuple[int, str, str]:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = main(["key", *words, "--state", str(tmp_path)])
        told = capsys.readouterr()
        return code, told.out.strip(), told.err.strip()

    return run


def test_a_key_that_is_shown_on_one_host_is_taken_on_another(key, tmp_path):
    code, said, _ = key("take", typed=f"{ONE}\n")

    assert (code, said.endswith(" now")) == (ExitCode.OK, True)
    assert key("show")[1] == ONE
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600


def test_a_key_is_taken_from_a_file_and_also_from_a_whole_ring(key, tmp_path):
    (tmp_path / "copied").write_text(json.dumps({"keys": [{"secret": ONE}]}))

    code, _, _ = key("take", "--file", str(tmp_path / "copied"))

    assert (code, key("show")[1]) == (ExitCode.OK, ONE)


@pytest.mark.parametrize("typed", ["", "crumbs", ONE[:-2], f"{ONE}00", "{}"])
def test_what_is_no_key_is_refused_and_nothing_is_written(key, tmp_path, typed):
    code, _, said = key("take", typed=typed)

    assert code == ExitCode.USAGE
    assert "give the 64 hexadecimal digits" in said
    assert not (tmp_path / "key").exists()


def test_another_key_is_put_in_its_place_only_when_that_is_said(key):
    key("take", typed=ONE)

    refused, _, said = key("take", typed=OTHER)
    replaced, _, _ = key("take", "--replace", typed=OTHER)

    assert (refused, replaced) == (ExitCode.CONFLICT, ExitCode.OK)
    assert "add --replace" in said
    assert key("show")[1] == OTHER


def test_the_same_key_again_changes_nothing(key):
    key("take", typed=ONE)

    code, said, _ = key("take", typed=ONE)

    assert (code, said.endswith(" already")) == (ExitCode.OK, True)


def test_a_broken_file_is_mended_by_replacing_it(key, tmp_path):
    (tmp_path / "key").write_text("torn")
    (tmp_path / "key").chmod(0o600)

    refused, _, _ = key("take", typed=ONE)
    mended, _, _ = key("take", "--replace", typed=ONE)

    assert (refused, mended) == (ExitCode.INSECURE, ExitCode.OK)
    assert key("show")[1] == ONE


def test_the_list_has_no_key_in_it(key):
    key("take", typed=ONE)
    key("take", "--replace", typed=OTHER)

    _, said, _ = key("list")

    assert "signs" in said
    assert "only opens" in said
    assert ONE[:16] not in said


def test_before_the_first_start_there_is_nothing_to_show(key):
    code, _, said = key("show")

    assert code == ExitCode.INSECURE
    assert "start Kirby once" in said

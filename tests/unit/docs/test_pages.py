"""What must hold for every page: links lead somewhere, files and rules that are named exist."""

import re
import tomllib

import pytest

from kirby import __version__
from tests.builders.pages import ROOT, code, headings, links_of, page, pages, snippets

RULES = {
    **{f"P{n}": "" for n in (1, 2)},
    **{f"O{n}": "" for n in range(1, 6)},
    **{f"C{n}": "" for n in range(1, 8)},
    **{f"S{n}": "" for n in (1, 2)},
    **{f"E{n}": "" for n in (1, 2, 3)},
    **{f"L{n}": "" for n in range(1, 7)},
    **{f"I{n}": "" for n in range(1, 11)},
}
ARCHITECTURE = page("ARCHITECTURE.md")
SOURCES = sorted((ROOT / "kirby").rglob("*.py"))


def anchor(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_a_page_and_a_heading_that_exist(path):
    for link in links_of(path):
        if link.startswith(("http://", "https://")):
            continue
        target, _, fragment = link.partition("#")
        found = (path.parent / target) if target else path
        assert found.exists(), link
        if fragment:
            text = found.read_text()
            all_headings = [h for level in range(1, 5) for h in headings(text, level)]
            assert fragment in {anchor(each) for each in all_headings}, link


@pytest.mark.parametrize("path", pages(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_page_has_one_title_and_ends_its_blocks(path):
    text = path.read_text()

    assert len(headings(text, 1)) == 1
    assert len(re.findall(r"^```", text, re.M)) % 2 == 0


def test_every_page_can_be_reached_from_the_first():
    seen, todo = set(), [ROOT / "README.md"]
    while todo:
        path = todo.pop()
        seen.add(path)
        linked = [
            (path.parent / link.partition("#")[0]).resolve()
            for link in links_of(path)
            if link.partition("#")[0].endswith(".md")
        ]
        todo += [each for each in linked if each not in seen]

    assert set(pages()) - seen == {ROOT / "CHANGELOG.md"} - seen


def test_every_file_that_the_architecture_names_exists():
    known = [
        str(path.relative_to(ROOT)) for path in ROOT.glob("*/**/*") if ".venv" not in path.parts
    ]

    for piece in code(re.sub(r"```.*?```", "", ARCHITECTURE, flags=re.S)):
        if re.fullmatch(r"[\w/*]+\.py", piece):
            wanted = re.compile(rf"(^|.*/){re.escape(piece).replace(chr(92) + '*', '[^/]*')}$")
            assert any(wanted.match(path) for path in known), piece


@pytest.mark.parametrize("rule", sorted(RULES))
def test_every_rule_is_told_once(rule):
    assert len(re.findall(rf"\*\*{rule}\*\*", ARCHITECTURE)) == 1


def test_every_rule_that_the_code_names_is_one():
    for path in SOURCES:
        for match in re.finditer(r"\brules? ((?:[A-Z]\d+(?:, | and | to )?)+)", path.read_text()):
            assert set(re.findall(r"[A-Z]\d+", match[1])) <= set(RULES), path


def test_the_changes_tell_of_the_present_version():
    assert f"## {__version__}" in page("CHANGELOG.md")


def test_commands_of_make_on_the_pages_exist():
    targets = re.findall(r"^([a-z]+):", page("Makefile"), re.M)

    for snippet in snippets("console", "sh"):
        for target in re.findall(r"\bmake ([a-z]+)", snippet.text):
            assert target in targets, snippet


def test_the_readme_is_the_one_that_the_package_shows():
    project = tomllib.loads(page("pyproject.toml"))["project"]

    assert project["readme"] == "README.md"
    assert "](docs/quickstart.md)" in page("README.md")

"""Reads the documents of this project: their sections, tables and snippets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOP_PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md")

_FENCE = re.compile(r"^```(?P<kind>\w*) ?(?P<name>\S*)\n(?P<text>.*?)^```$", re.M | re.S)
_LINK = re.compile(r"\[[^\]]+\]\((?P<target>[^)\s]+)\)")


@dataclass(frozen=True, kw_only=True)
class Snippet:
    """A fenced block: its language, the word after it, and where it stands."""

    page: str
    line: int
    kind: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """List every page, by path."""
    return sorted([*(ROOT / name for name in TOP_PAGES), *(ROOT / "docs").rglob("*.md")])


def page(name: str) -> str:
    """Return the text of a page, by its path in the project."""
    return (ROOT / name).read_text()


def snippets_of(path: Path) -> Iterator[Snippet]:
    """Yield the fenced blocks of a page in their order."""
    text = path.read_text()
    for match in _FENCE.finditer(text):
        yield Snippet(
            page=str(path.relative_to(ROOT)),
            line=text.count("\n", 0, match.start()) + 1,
            kind=match["kind"],
            name=match["name"],
            text=match["text"],
        )


def snippets(*kinds: str) -> list[Snippet]:
    """List the fenced blocks of all pages that are of one of these kinds."""
    return [each for path in pages() for each in snippets_of(path) if each.kind in kinds]


def links_of(path: Path) -> list[str]:
    """List where a page's links lead, code aside."""
    return [match["target"] for match in _LINK.finditer(_FENCE.sub("", path.read_text()))]


def section(text: str, heading: str) -> str:
    """Return what stands below a heading, up to the next one of its level or a higher one."""
    level = len(heading) - len(heading.lstrip("#"))
    start = re.search(rf"^{re.escape(heading)}$", text, re.M)
    assert start is not None, f"no heading {heading!r}"
    end = re.search(rf"^#{{1,{level}}} ", text[start.end() :], re.M)
    return text[start.end() : start.end() + end.start() if end else len(text)]


def headings(text: str, level: int) -> list[str]:
    """List the headings of a level, without their marks."""
    return re.findall(rf"^{'#' * level} (.+)$", _FENCE.sub("", text), re.M)


def rows(text: str) -> list[list[str]]:
    """Return the cells of every table row of a text, headings aside."""
    lines = [line for line in _FENCE.sub("", text).splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    heads = {at - 1 for at, row in enumerate(cells) if set("".join(row)) <= set("-:")}
    return [row for at, row in enumerate(cells) if at not in heads and at - 1 not in heads]


def code(cell: str) -> list[str]:
    """Return the pieces of a cell that are marked as code."""
    return re.findall(r"`([^`]+)`", cell)

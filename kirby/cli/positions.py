"""Where in a TOML file each value stands, so that a fault can be told with line and column."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import tree_sitter
import tree_sitter_toml

_LANGUAGE = tree_sitter.Language(tree_sitter_toml.language())
_KEYS = ("bare_key", "quoted_key", "dotted_key")
_PUNCTUATION = ("=", "[", "]", "[[", "]]", "{", "}", ",", ".", "comment")


@dataclass(frozen=True, kw_only=True, order=True)
class Position:
    """A place in a file, counted from 1 as editors do; columns are characters."""

    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.line}:{self.column}"


def positions_of(text: str) -> Mapping[str, Position]:
    """Map each dotted path of a TOML text to where its value, or its table's header, begins.

    Elements of arrays are numbered from 0: `suspension.0.reason`. The text must be valid TOML.
    """
    source = text.encode()
    lines = source.split(b"\n")
    tree = tree_sitter.Parser(_LANGUAGE).parse(source)
    found: dict[str, Position] = {}
    arrays: dict[str, int] = {}
    for path, node in _document(tree.root_node, arrays):
        row, column = node.start_point
        found.setdefault(path, Position(line=row + 1, column=len(lines[row][:column].decode()) + 1))
    return found


def position_of(positions: Mapping[str, Position], path: str) -> Position | None:
    """Return where a path stands, or the nearest thing that contains it."""
    while path:
        if path in positions:
            return positions[path]
        path = path.rpartition(".")[0]
    return None


Node = tree_sitter.Node


def _document(root: Node, arrays: dict[str, int]) -> Iterator[tuple[str, Node]]:
    for child in root.children:
        if child.type == "pair":
            yield from _pair("", child)
        elif child.type in ("table", "table_array_element"):
            yield from _table(child, arrays)


def _table(table: Node, arrays: dict[str, int]) -> Iterator[tuple[str, Node]]:
    header = next(child for child in table.children if child.type in _KEYS)
    path = _resolve(_key(header), arrays)
    if table.type == "table_array_element":
        arrays[path] = arrays.get(path, -1) + 1
        path = f"{path}.{arrays[path]}"
    yield path, header
    for child in table.children:
        if child.type == "pair":
            yield from _pair(path, child)


def _resolve(keys: list[str], arrays: dict[str, int]) -> str:
    """Follow `[a.b]` into the last element of `[[a]]`."""
    path = keys[0]
    for key in keys[1:]:
        if path in arrays:
            path = f"{path}.{arrays[path]}"
        path = f"{path}.{key}"
    return path


def _pair(prefix: str, pair: Node) -> Iterator[tuple[str, Node]]:
    key = next(child for child in pair.children if child.type in _KEYS)
    value = next(c for c in reversed(pair.children) if c.type not in (*_PUNCTUATION, *_KEYS))
    path = prefix
    for part in _key(key):
        path = f"{path}.{part}" if path else part
        yield f"{path}#key", key
    yield path, value
    yield from _value(path, value)


def _value(path: str, value: Node) -> Iterator[tuple[str, Node]]:
    if value.type == "inline_table":
        for child in value.children:
            if child.type == "pair":
                yield from _pair(path, child)
    if value.type == "array":
        elements = [child for child in value.children if child.type not in _PUNCTUATION]
        for index, element in enumerate(elements):
            yield f"{path}.{index}", element
            yield from _value(f"{path}.{index}", element)


def _key(node: Node) -> list[str]:
    if node.type == "dotted_key":
        return [part for child in node.children if child.type in _KEYS for part in _key(child)]
    text = (node.text or b"").decode()
    return [text[1:-1] if node.type == "quoted_key" else text]

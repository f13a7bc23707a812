"""What a single file says of itself: inline metadata (PEP 723), its docstring, its version."""

import ast
import io
import re
import sys
import tokenize
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from packaging.requirements import InvalidRequirement as Unreadable
from packaging.requirements import Requirement as Dependency
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from kirby.core.errors import Fault, InvalidInput
from kirby.core.requirement import OWN_NAME

_OPENS = "# /// script"
_CLOSES = "# ///"
_KNOWN = frozenset({"dependencies", "requires-python", "tool"})


@dataclass(frozen=True, kw_only=True)
class Inline:
    """What a file says of itself."""

    dependencies: tuple[str, ...] = ()
    requires_python: str = ""
    name: str = ""
    version: str = ""
    summary: str = ""


def read_inline(filename: str, source: bytes) -> Inline:
    """Read what a file says of itself.

    Raises:
        InvalidInput: it is no Python, or its metadata cannot be read.
    """
    tree = _parse(filename, source)
    table = _table(filename, _text(source))
    faults = list(_faults(filename, table) if table is not None else _undeclared(filename, tree))
    if faults:
        raise InvalidInput(faults)
    table = table or {}
    own = table.get("tool", {}).get("kirby", {})
    summary = (ast.get_docstring(tree) or "").partition("\n")[0]
    return Inline(
        dependencies=tuple(str(Dependency(text)) for text in table.get("dependencies", ())),
        requires_python=table.get("requires-python", ""),
        name=str(own.get("name", "")),
        version=str(own.get("version", "")) or _dunder_version(tree),
        summary=summary,
    )


def _parse(filename: str, source: bytes) -> ast.Module:
    try:
        return ast.parse(source, filename)
    except SyntaxError as fault:
        where = f"{filename}:{fault.lineno or 1}:{fault.offset or 1}"
        raise InvalidInput(f"this is no Python: {fault.msg}", field=where) from None
    except ValueError as fault:  # a null byte
        raise InvalidInput(f"this is no Python: {fault}", field=filename) from None


def _text(source: bytes) -> str:
    encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    return source.decode(encoding)


def _table(filename: str, text: str) -> dict[str, Any] | None:
    """Return the TOML of the block of comments, None where there is none."""
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if line.rstrip() == _OPENS]
    if not starts:
        return None
    if len(starts) > 1:
        fault = "a second block of metadata: leave one"
        raise InvalidInput(fault, field=f"{filename}:{starts[1] + 1}")
    block = _block(lines[starts[0] + 1 :])
    if block is None:
        fault = f"the block of metadata does not end: close it with '{_CLOSES}'"
        raise InvalidInput(fault, field=f"{filename}:{starts[0] + 1}")
    try:
        return tomllib.loads("\n".join(line[2:] for line in block))
    except tomllib.TOMLDecodeError as fault:
        line = _line_of(str(fault)) + starts[0] + 1
        raise InvalidInput(
            f"the metadata are no TOML: {fault}", field=f"{filename}:{line}"
        ) from None


def _block(lines: list[str]) -> list[str] | None:
    """Return the lines up to the last closing one that comments lead to without a break."""
    comments = []
    for line in lines:
        if line != "#" and not line.startswith("# "):
            break
        comments.append(line.rstrip())
    closing = [number for number, line in enumerate(comments) if line == _CLOSES]
    return comments[: closing[-1]] if closing else None


def _line_of(sentence: str) -> int:
    found = re.search(r"at line (\d+)", sentence)
    return int(found[1]) if found else 1


def _faults(filename: str, table: Mapping[str, object]) -> Iterator[Fault]:
    for key in table:
        if key not in _KNOWN:
            known = ", ".join(sorted(_KNOWN))
            yield Fault(
                field=filename, sentence=f'there is no "{key}" in the metadata: {known} are'
            )
    dependencies = table.get("dependencies", [])
    if not isinstance(dependencies, list):
        yield Fault(field=filename, sentence='"dependencies" is a list of texts')
        dependencies = []
    for text in dependencies:
        try:
            Dependency(text)
        except (Unreadable, TypeError):
            yield Fault(field=filename, sentence=f"dependency {text!r}: write it as name>=1.2")
    python = table.get("requires-python", "")
    try:
        SpecifierSet(python)  # type: ignore[arg-type] # which says what is wrong with it
    except (InvalidSpecifier, TypeError, AttributeError):
        yield Fault(field=filename, sentence=f"requires-python {python!r}: write it as >=3.11")


def _undeclared(filename: str, tree: ast.Module) -> Iterator[Fault]:
    """Tell of a file without metadata that needs what only metadata could bring."""
    names: set[str] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=aliases):
                names |= {alias.name.partition(".")[0] for alias in aliases}
            case ast.ImportFrom(module=str(module), level=0):
                names.add(module.partition(".")[0])
    foreign = sorted(names - sys.stdlib_module_names - {OWN_NAME})
    if foreign:
        yield Fault(
            field=filename,
            sentence=f"it imports {', '.join(foreign)} and has no metadata: begin it with "
            f"'{_OPENS}', '# dependencies = [\"{foreign[0]}\"]', '{_CLOSES}', a line each",
        )


def _dunder_version(tree: ast.Module) -> str:
    for node in tree.body:
        match node:
            case (
                ast.Assign(
                    targets=[ast.Name(id="__version__")], value=ast.Constant(value=str(text))
                )
                | ast.AnnAssign(
                    target=ast.Name(id="__version__"), value=ast.Constant(value=str(text))
                )
            ):
                return text
    return ""

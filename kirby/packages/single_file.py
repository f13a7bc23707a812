"""A single file becomes a package with a `__main__`."""

import sys
from collections.abc import Iterator
from keyword import iskeyword
from pathlib import PurePath

from kirby.core.errors import InvalidInput
from kirby.core.requirement import Requirement, normal_name, normal_version
from kirby.packages.inline_metadata import Inline, read_inline
from kirby.packages.wheel_file import Wheel, pack_wheel


def wheel_of_file(filename: str, source: bytes, *, version: str | None = None) -> Wheel:
    """Make a package of one file.

    Args:
        filename: gives the package its name, unless `[tool.kirby] name` does.
        source: the text; it becomes the package's `__main__` as it is.
        version: overrides what the file says (`[tool.kirby] version`, else `__version__`).

    Raises:
        InvalidInput: with every fault, each with its line where it has one.
    """
    inline = read_inline(filename, source)
    requirement = Requirement(
        name=_name(filename, inline), version=_version(filename, inline, version)
    )
    module = requirement.name.replace("-", "_")
    _check_module(filename, module)
    info = f"{module}-{requirement.version}.dist-info"
    members = {
        f"{module}/__init__.py": b"",
        f"{module}/__main__.py": source,
        f"{info}/METADATA": "\n".join(_metadata(requirement, inline)).encode() + b"\n",
        f"{info}/WHEEL": _WHEEL,
    }
    return Wheel(
        requirement=requirement,
        filename=f"{module}-{requirement.version}-py3-none-any.whl",
        content=pack_wheel(members, info),
        requires_python=inline.requires_python,
        summary=inline.summary,
    )


_WHEEL = b"Wheel-Version: 1.0\nGenerator: kirby\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _name(filename: str, inline: Inline) -> str:
    return normal_name(inline.name or PurePath(filename).stem, field=filename)


def _version(filename: str, inline: Inline, given: str | None) -> str:
    if given is not None:
        return normal_version(given, field="--version")
    if inline.version:
        return normal_version(inline.version, field=filename)
    raise InvalidInput(
        'it says no version: add __version__ = "1.0.0" to the file, or give --version 1.0.0',
        field=filename,
    )


def _check_module(filename: str, module: str) -> None:
    if not module.isidentifier() or iskeyword(module):
        fault = f'"{module}" cannot be the name of a module: begin with a letter'
    elif module in sys.stdlib_module_names:
        fault = f'Python has a module "{module}" of its own, which hides it: choose another name'
    else:
        return
    raise InvalidInput(fault, field=filename)


def _metadata(requirement: Requirement, inline: Inline) -> Iterator[str]:
    yield "Metadata-Version: 2.1"
    yield f"Name: {requirement.name}"
    yield f"Version: {requirement.version}"
    if inline.summary:
        yield f"Summary: {inline.summary}"
    if inline.requires_python:
        yield f"Requires-Python: {inline.requires_python}"
    for dependency in inline.dependencies:
        yield f"Requires-Dist: {dependency}"

"""Which package in which version: what a person may write as `package`, and nothing else.

A requirement that was parsed here is safe as a file name, in an address and on the command line
of an installer: nothing in it begins with a hyphen or leaves a folder.
"""

from dataclasses import dataclass

from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

from kirby.core.errors import InvalidRequirement

OWN_NAME = "kirby"

# Together with what is added to them they stay below the 255 bytes of a file name.
_NAME_LIMIT = 100
_VERSION_LIMIT = 64


@dataclass(frozen=True, kw_only=True, order=True)
class Requirement:
    """One version of one package, both in their normal form (PEP 503, PEP 440)."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name}=={self.version}"


def parse_requirement(text: str, *, field: str = "package") -> Requirement:
    """Read `name==version`.

    Args:
        text: as a person wrote it, in a document or in the schedule.
        field: where, for the fault.

    Raises:
        InvalidRequirement: no exact version, or a name or version that no index could hold.
    """
    name, equals, version = (part.strip(" ") for part in text.partition("=="))
    if not equals or not version:
        raise _invalid(text, field, f"give the exact version, as in {name or 'name'}==1.2.3")
    return Requirement(
        name=_name(name, text, field),
        version=_version(version, text, field),
    )


def normal_name(name: str, *, field: str = "name") -> str:
    """Return a package's name in its normal form.

    Raises:
        InvalidRequirement: it is no name of a package.
    """
    return _name(name, name, field)


def normal_version(version: str, *, field: str = "version") -> str:
    """Return a version in its normal form.

    Raises:
        InvalidRequirement: it is no version.
    """
    return _version(version, version, field)


def _name(name: str, text: str, field: str) -> str:
    # packaging's pattern lets a final newline and a few letters beyond ASCII pass.
    if not name.isascii() or name != name.strip() or len(name) > _NAME_LIMIT:
        raise _invalid(text, field, _NAME_RULE)
    try:
        normal = canonicalize_name(name, validate=True)
    except InvalidName:
        raise _invalid(text, field, _NAME_RULE) from None
    if normal == OWN_NAME:
        raise _invalid(text, field, "this is Kirby itself, which every script has; name your own")
    return str(normal)


def _version(version: str, text: str, field: str) -> str:
    try:
        if not version.isascii() or version != version.strip() or len(version) > _VERSION_LIMIT:
            raise InvalidVersion(version)
        return str(Version(version))
    except InvalidVersion:
        raise _invalid(
            text, field, f'"{version}" is no version: write one as 1.2.3 or 1.2.3rc1'
        ) from None


def _invalid(text: str, field: str, fault: str) -> InvalidRequirement:
    return InvalidRequirement(f'package "{text}": {fault}', field=field)


_NAME_RULE = (
    f"a name has at most {_NAME_LIMIT} letters, digits, '.', '_' and '-', "
    "and begins and ends with a letter or digit"
)

"""What may come into the package index: files that are what their names say."""

import email.parser
import io
import tarfile
import zipfile
from dataclasses import dataclass

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from kirby.core.errors import InvalidInput
from kirby.core.requirement import Requirement, normal_name, normal_version

_METADATA_LIMIT = 4 * 1024 * 1024  # a README is part of it; bounds what is unpacked in memory


@dataclass(frozen=True, kw_only=True)
class Upload:
    """A file that may come into the index."""

    filename: str
    requirement: Requirement
    content: bytes


def check_upload(filename: str, content: bytes) -> Upload:
    """Look into a file that somebody uploads.

    Raises:
        InvalidInput: it is no wheel or source archive, or its metadata name another package.
    """
    named = _named_by(filename)
    within = _named_within(filename, content)
    if named != within:
        raise InvalidInput(f"{filename}: its metadata say {within}; rename it, or build it again")
    return Upload(filename=filename, requirement=named, content=content)


def _named_by(filename: str) -> Requirement:
    try:
        if filename.endswith(".whl"):
            name, version, _, _ = parse_wheel_filename(filename)
        else:
            name, version = parse_sdist_filename(filename)
    except (InvalidWheelFilename, InvalidSdistFilename, UnicodeError):
        raise InvalidInput(
            f"{filename[:100]!r}: this is no name of a wheel (.whl) or source archive (.tar.gz)"
        ) from None
    if "/" in filename or "\\" in filename or not filename.isascii() or not filename.isprintable():
        raise InvalidInput(f"{filename!r}: a file name has letters, digits and .-_+! only")
    return Requirement(name=normal_name(name), version=normal_version(str(version)))


def _named_within(filename: str, content: bytes) -> Requirement:
    try:
        text = _wheel_metadata(content) if filename.endswith(".whl") else _sdist_metadata(content)
    except (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, LookupError, ValueError):
        raise InvalidInput(f"{filename}: it cannot be read as a package; build it again") from None
    metadata = email.parser.Parser().parsestr(text, headersonly=True)
    return Requirement(
        name=normal_name(metadata.get("Name", "")),
        version=normal_version(metadata.get("Version", "")),
    )


def _wheel_metadata(content: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        member = next(m for m in archive.infolist() if _is_wheel_metadata(m.filename))
        if member.file_size > _METADATA_LIMIT:
            raise ValueError(member.filename)
        return archive.read(member).decode()


def _is_wheel_metadata(path: str) -> bool:
    return path.count("/") == 1 and path.endswith(".dist-info/METADATA")


def _sdist_metadata(content: bytes) -> str:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            if member.name.count("/") == 1 and member.name.endswith("/PKG-INFO"):
                file = archive.extractfile(member)
                if file is not None and member.size <= _METADATA_LIMIT:
                    return file.read().decode()
    raise LookupError("PKG-INFO")

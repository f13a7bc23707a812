"""Write wheels, and look into them: the same members always give the same bytes."""

import base64
import csv
import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from kirby.core.requirement import Requirement

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first instant that a zip archive can hold
_PLAIN_FILE = 0o100644 << 16  # the mode, where zip keeps it


@dataclass(frozen=True, kw_only=True)
class Wheel:
    """A package, ready to be uploaded."""

    requirement: Requirement
    filename: str
    content: bytes
    requires_python: str = ""
    summary: str = ""

    @property
    def sha256(self) -> str:
        """The digest of the content."""
        return hashlib.sha256(self.content).hexdigest()


def pack_wheel(members: Mapping[str, bytes], dist_info: str) -> bytes:
    """Return a wheel with these members and the RECORD of them.

    Args:
        members: content by path in the archive; METADATA and WHEEL among them, RECORD not.
        dist_info: the folder of the metadata, `name-version.dist-info`.
    """
    record = f"{dist_info}/RECORD"
    lines = [(path, _digest(content), str(len(content))) for path, content in members.items()]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([*lines, (record, "", "")])
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for path, content in {**members, record: text.getvalue().encode()}.items():
            member = zipfile.ZipInfo(path, date_time=_EPOCH)
            member.compress_type = zipfile.ZIP_DEFLATED
            member.external_attr = _PLAIN_FILE
            file.writestr(member, content)
    return archive.getvalue()


def _digest(content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest())
    return f"sha256={digest.decode().rstrip('=')}"


def same_members(one: bytes, other: bytes) -> bool:
    """Tell whether two archives hold the same, whenever and however they were packed."""
    if one == other:
        return True
    try:
        return _members(one) == _members(other)
    except zipfile.BadZipFile:
        return False


def _members(content: bytes) -> dict[str, tuple[int, int]]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {m.filename: (m.CRC, m.file_size) for m in archive.infolist()}

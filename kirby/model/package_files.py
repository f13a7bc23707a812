"""The files of the built-in package index: one backup has all, every service has them."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from kirby.core.errors import Conflict, NotFound
from kirby.model.access import PackageFile
from kirby.model.database import writing


@dataclass(frozen=True, kw_only=True)
class PackageNote:
    """What is known of a file without reading it."""

    filename: str
    project: str
    version: str
    sha256: str
    size: int
    uploaded: datetime
    uploaded_by: str


def keep_package(
    filename: str, project: str, version: str, content: bytes, by: str, now: datetime
) -> PackageNote:
    """Keep an uploaded file; the very same one again changes nothing.

    Raises:
        Conflict: a file of this name is there with another content.
    """
    digest = hashlib.sha256(content).hexdigest()
    with writing():
        present = PackageFile.get_or_none(PackageFile.filename == filename)
        if present is not None and present.sha256 != digest:
            raise Conflict(
                f"{filename} was published already, with another content: raise its version"
            )
        if present is None:
            PackageFile.create(
                filename=filename,
                project=project,
                version=version,
                sha256=digest,
                size=len(content),
                content=content,
                uploaded=now,
                uploaded_by=by,
            )
    return next(note for note in package_notes(project) if note.filename == filename)


def package_notes(project: str | None = None) -> list[PackageNote]:
    """Return what is known of all files, or of a project's."""
    columns = [getattr(PackageFile, name) for name in PackageNote.__dataclass_fields__]
    query = PackageFile.select(*columns).order_by(PackageFile.filename)
    if project is not None:
        query = query.where(PackageFile.project == project)
    return [PackageNote(**row) for row in query.dicts()]


def package_content(filename: str) -> bytes:
    """Return a file.

    Raises:
        NotFound: there is none of this name.
    """
    row = PackageFile.get_or_none(PackageFile.filename == filename)
    if row is None:
        raise NotFound(f"there is no file {filename} in the index")
    return bytes(row.content)

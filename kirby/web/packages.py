"""The package index of this service: who may use it, and what it keeps in the database."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from kirby.core.requirement import Requirement
from kirby.model.package_files import keep_package, package_content, package_notes
from kirby.model.tokens import owner_of_token
from kirby.packages.uploads import check_upload
from kirby.web.parts import Parts


@dataclass(frozen=True, kw_only=True)
class Packages:
    """What the mounted index asks back."""

    parts: Parts

    def may_use(self, token: str | None) -> bool:
        """Tell whether a token opens the index: a host's, or anybody's that is known."""
        if not token:
            return False
        if self.parts.key.is_host_token(token):
            return True
        return owner_of_token(token, self.parts.now()) is not None

    def keep(self, filename: str, content: bytes) -> None:
        """Keep an uploaded file in the database."""
        requirement: Requirement = check_upload(filename, content).requirement
        keep_package(filename, requirement.name, requirement.version, content, "", self.parts.now())

    def lacking(self, have: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Give the files that a folder lacks: what other web services took."""
        for note in package_notes():
            if note.filename not in have:
                yield note.filename, package_content(note.filename)

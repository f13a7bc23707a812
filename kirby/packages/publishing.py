"""`kirby publish`: a project folder or a single file goes into a package index as a wheel."""

import os
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from kirby.core.errors import (
    Conflict,
    InvalidInput,
    NotFound,
    NotPermitted,
    ServiceUnreachable,
    UserError,
)
from kirby.core.requirement import Requirement
from kirby.packages.index import ALREADY_THERE
from kirby.packages.single_file import wheel_of_file
from kirby.packages.tokens import USER
from kirby.packages.uploads import check_upload
from kirby.packages.uv import Said, run_uv
from kirby.packages.verdicts import last_words
from kirby.packages.wheel_file import Wheel

BUILD_LIMIT = timedelta(minutes=20)  # as long as a build from source on a host may take
UPLOAD_TIMEOUT_SECONDS = 120.0  # between two signs of life
_SOURCES = ("pyproject.toml", "setup.py")


class Published(Enum):
    """How an upload went well."""

    TAKEN = "published"
    ALREADY_THERE = "is there already"


@dataclass(frozen=True, kw_only=True)
class Publication:
    """A package that is in the index now."""

    requirement: Requirement
    outcome: Published

    def __str__(self) -> str:
        return f"{self.requirement.name} {self.requirement.version} {self.outcome.value}"


def publish(path: Path, *, address: str, token: str, version: str | None = None) -> Publication:
    """Make a wheel of a project folder, a single file or a wheel, and upload it.

    Args:
        path: the folder, `.py` or `.whl`.
        address: where the index takes uploads; of the built-in index its root.
        token: of whoever publishes.
        version: overrides what a single file says.

    Raises:
        UserError: what is wrong with the path, the package or the token.
    """
    return upload(make_wheel(path, version=version), address=address, token=token)


def make_wheel(path: Path, *, version: str | None = None) -> Wheel:
    """Return the wheel of a project folder or a single file; a wheel is taken as it is."""
    if not path.exists():
        raise NotFound(f"{path}: there is no such file or folder")
    if path.is_dir():
        _no_version(version, f"a project's version stands in its {_SOURCES[0]}")
        return _wheel_of_project(path)
    if path.suffix == ".whl":
        _no_version(version, "a wheel has its version already")
        return _checked(path.name, path.read_bytes())
    if path.suffix == ".py":
        return wheel_of_file(path.name, path.read_bytes(), version=version)
    raise InvalidInput(f"{path}: give a project folder, a .py file or a wheel")


def _no_version(version: str | None, why: str) -> None:
    if version is not None:
        raise InvalidInput(f"only for a single file: {why}", field="--version")


def _wheel_of_project(folder: Path) -> Wheel:
    if not any((folder / name).exists() for name in _SOURCES):
        raise InvalidInput(f"{folder}: there is no {_SOURCES[0]} in it, so it is no project")
    with TemporaryDirectory(prefix="kirby-publish-") as place:
        # A person builds a project of their own here: their settings of uv are meant.
        said = _build_project(folder, place)
        wheels = sorted(Path(place).glob("*.whl"))
        if not said.went_well or not wheels:
            raise InvalidInput(f"{folder}: it cannot be built: {last_words(said.error)}")
        return _checked(wheels[0].name, wheels[0].read_bytes())


def _build_project(folder: Path, place: str) -> Said:
    try:
        return run_uv(
            *("build", "--wheel", "--out-dir", place, "--", folder.absolute()),
            environment=os.environ,
            folder=Path(place),
            limit=BUILD_LIMIT,
            quiet=("--color", "never", "--no-progress"),
        )
    except TimeoutError as fault:
        raise InvalidInput(f"{folder}: its build was given up: {fault}") from fault


def _checked(filename: str, content: bytes) -> Wheel:
    checked = check_upload(filename, content)
    return Wheel(requirement=checked.requirement, filename=filename, content=content)


def upload(wheel: Wheel, *, address: str, token: str) -> Publication:
    """Send a wheel to an index, in the form that twine uses.

    Raises:
        NotPermitted: no token, or one that may not upload.
        Conflict: this version is there with another content.
        ServiceUnreachable: the index does not answer.
        UserError: it refuses for a reason of its own.
    """
    if not token:
        raise NotPermitted("without a token nothing can be published: set KIRBY_TOKEN")
    try:
        answer = httpx.post(
            address,
            data=_form(wheel),
            files={"content": (wheel.filename, wheel.content, "application/octet-stream")},
            auth=(USER, token),
            timeout=UPLOAD_TIMEOUT_SECONDS,
        )
    except httpx.TransportError as fault:
        raise ServiceUnreachable(
            f"the package index at {address} does not answer: {fault}"
        ) from fault
    return Publication(requirement=wheel.requirement, outcome=_outcome(wheel, answer))


def _outcome(wheel: Wheel, answer: httpx.Response) -> Published:
    sentence = " ".join(answer.text.split())[:500]
    match answer.status_code:
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            raise NotPermitted(sentence or "this token may not upload to this package index")
        case HTTPStatus.CONFLICT:
            raise Conflict(
                f"{wheel.requirement} is already there with another content: "
                "publish the change as a new version"
            )
    if not answer.is_success:
        raise UserError(f"the package index refuses {wheel.filename}: {sentence or answer}")
    there = answer.text.startswith(ALREADY_THERE)
    return Published.ALREADY_THERE if there else Published.TAKEN


def _form(wheel: Wheel) -> dict[str, str]:
    return {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": wheel.requirement.name,
        "version": wheel.requirement.version,
        "filetype": "bdist_wheel",
        "pyversion": "py3",
        "sha256_digest": wheel.sha256,
        "summary": wheel.summary,
        "requires_python": wheel.requires_python,
    }

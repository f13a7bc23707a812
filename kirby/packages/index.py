"""The built-in package index: a WSGI application for the web service to mount.

Lists and files are pypiserver's, with its fall-back to other indexes off: 404 is said of names
that this index lacks, and of nothing else, since an installer goes on to the next index after it.
Uploads (the form that twine sends) are taken here, since what is already there must stay as it is.
"""

import os
from collections.abc import Callable, Collection, Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING

import bottle
import pypiserver
from pypiserver.backend import BackendProxy, SimpleFileBackend, digest_file
from pypiserver.config import Config
from pypiserver.core import PkgFile

from kirby.core.errors import Conflict, KirbyError, NotPermitted, UserError
from kirby.packages.tokens import token_of
from kirby.packages.uploads import Upload, check_upload
from kirby.packages.wheel_file import same_members

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

UPLOAD_LIMIT = 512 * 1024 * 1024  # bytes; the largest wheels of the public index are about as big
HASH = "sha256"
READABLE = ("/simple", "/packages/")
ALREADY_THERE = "already there"  # begins the answer to an upload that changes nothing

MayUse = Callable[[str | None], bool]
OnUpload = Callable[[str, bytes], None]
Lacking = Callable[[Collection[str]], Iterable[tuple[str, bytes]]]


def create_index(
    folder: Path,
    may_upload: MayUse,
    may_read: MayUse,
    on_upload: OnUpload,
    lacking: Lacking | None = None,
) -> "WSGIApplication":
    """Make the application; it serves `simple/` and `packages/` and takes uploads at its root.

    Args:
        folder: where the files lie; it is made.
        may_upload: told the token of the request, None without one.
        may_read: likewise.
        on_upload: keeps an accepted file (its name and content) where it outlives the folder,
            before it is shown to anyone. May raise `Conflict`.
        lacking: told the file names that the folder has, gives the files that it should have,
            too: what other web services took, and everything after a loss of the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return Index(folder, may_upload, may_read, on_upload, lacking or _nothing)


def _nothing(_have: Collection[str]) -> Iterable[tuple[str, bytes]]:
    return ()


class Index:
    """The application itself."""

    def __init__(
        self,
        folder: Path,
        may_upload: MayUse,
        may_read: MayUse,
        on_upload: OnUpload,
        lacking: Lacking,
    ) -> None:
        self._folder = folder
        self._may_upload = may_upload
        self._may_read = may_read
        self._on_upload = on_upload
        self._lacking = lacking
        self._lists = _lists_of(folder)

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Answer one request."""
        try:
            return self._answer(environ, start_response)
        except KirbyError as fault:
            return _say(start_response, _status_of(fault), str(fault))

    def _answer(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        method, path = environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")
        token = token_of(environ.get("HTTP_AUTHORIZATION", ""))
        if method == "POST" and path in ("", "/"):
            _permit(self._may_upload, token, "upload to")
            return _say(start_response, HTTPStatus.OK, self._take(_uploaded(environ)))
        if method not in ("GET", "HEAD"):
            return _say(start_response, HTTPStatus.METHOD_NOT_ALLOWED, "GET, HEAD, or an upload")
        if not path.startswith(READABLE):
            return _say(start_response, HTTPStatus.NOT_FOUND, "the packages are below simple/")
        _permit(self._may_read, token, "read")
        self._complete()
        answer: Iterable[bytes] = self._lists(environ, start_response)
        return answer

    def _take(self, upload: Upload) -> str:
        self._complete()
        path = self._folder / upload.filename
        if path.exists():
            if same_members(path.read_bytes(), upload.content):
                return f"{ALREADY_THERE}: {upload.requirement}"
            raise Conflict(
                f"{upload.requirement} is already there with another content: "
                "publish the change as a new version"
            )
        self._on_upload(upload.filename, upload.content)
        self._write(upload.filename, upload.content)
        return f"taken: {upload.requirement}"

    def _complete(self) -> None:
        """Write the files that the folder lacks."""
        have = frozenset(path.name for path in self._folder.iterdir())
        for filename, content in self._lacking(have):
            self._write(check_upload(filename, content).filename, content)

    def _write(self, filename: str, content: bytes) -> None:
        # pypiserver lists no name that begins with a dot, so nobody sees half a file.
        draft = self._folder / f".{filename}.{os.getpid()}.{os.urandom(4).hex()}"
        draft.write_bytes(content)
        draft.replace(self._folder / filename)


def _lists_of(folder: Path) -> "WSGIApplication":
    # Authentication is done here, so it is off there: "." and [] are its way to say so.
    config = Config.default_with_overrides(
        roots=[folder.resolve()],
        authenticate=[],
        password_file=".",
        disable_fallback=True,
        hash_algo=HASH,
    )
    config.backend = BackendProxy(DigestsOnce(config))
    application: WSGIApplication = pypiserver.app_from_config(config)
    return application


class DigestsOnce(SimpleFileBackend):  # type: ignore[misc] # the library carries no types
    """Packages of a folder; a file that did not change is hashed once, not at each listing."""

    def digest(self, pkg: PkgFile) -> str | None:
        """Return the digest of a file in the form that a listing has it."""
        path = Path(pkg.fn)
        return _digest(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=10_000)  # about 2 MB of digests
def _digest(path: Path, _changed_ns: int) -> str:
    return str(digest_file(path, HASH))


def _uploaded(environ: "WSGIEnvironment") -> Upload:
    if int(environ.get("CONTENT_LENGTH") or 0) > UPLOAD_LIMIT:
        raise UserError(f"the file is larger than {UPLOAD_LIMIT // 1024**2} MiB")
    request = bottle.BaseRequest(environ)
    file = request.files.get("content") if request.files else None
    if request.forms.get(":action") != "file_upload" or file is None:
        raise UserError('an upload is a form with ":action" (file_upload) and "content" (the file)')
    return check_upload(file.raw_filename, file.file.read())


def _permit(may: MayUse, token: str | None, what: str) -> None:
    if not may(token):
        fault = "this token may not" if token else "without a token nobody may"
        raise NotPermitted(f"{fault} {what} this package index")


def _status_of(fault: KirbyError) -> HTTPStatus:
    match fault:
        case NotPermitted():
            return HTTPStatus.UNAUTHORIZED
        case Conflict():
            return HTTPStatus.CONFLICT
        case UserError():
            return HTTPStatus.BAD_REQUEST
        case _:
            return HTTPStatus.INTERNAL_SERVER_ERROR


def _say(start_response: "StartResponse", status: HTTPStatus, sentence: str) -> Iterator[bytes]:
    body = f"{sentence}\n".encode()
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Content-Length", str(len(body)))]
    if status == HTTPStatus.UNAUTHORIZED:
        headers.append(("WWW-Authenticate", 'Basic realm="kirby"'))
    start_response(f"{status.value} {status.phrase}", headers)
    return iter([body])

from collections.abc import Collection
from pathlib import Path
from typing import Any

import bottle
import httpx
import pytest

from kirby.core.errors import Conflict
from tests.builders.packages import TOKEN, a_wheel, an_index


def client(application: Any, token: str | None = TOKEN) -> httpx.Client:
    return httpx.Client(
        transport=httpx.WSGITransport(application),
        base_url="http://index.test",
        auth=("__token__", token) if token else None,
    )


def upload(index: Any, filename: str, content: bytes, token: str | None = TOKEN) -> httpx.Response:
    return client(index, token).post(
        "/", data={":action": "file_upload"}, files={"content": (filename, content)}
    )


def test_an_uploaded_package_is_listed_and_can_be_fetched(tmp_path: Path) -> None:
    index = an_index(tmp_path)
    filename, content = a_wheel("forecast", "0.9.2")

    taken = upload(index, filename, content)
    listing = client(index).get("/simple/forecast/")
    fetched = client(index).get(f"/packages/{filename}")

    assert (taken.status_code, taken.text) == (200, "taken: forecast==0.9.2\n")
    assert f"{filename}#sha256=" in listing.text
    assert fetched.content == content


def test_a_name_that_the_index_lacks_is_not_found_and_not_redirected(tmp_path: Path) -> None:
    answer = client(an_index(tmp_path)).get("/simple/requests/")

    assert answer.status_code == 404


@pytest.mark.parametrize("token", [None, "kby_wrong"])
def test_nobody_reads_or_uploads_without_the_token(tmp_path: Path, token: str | None) -> None:
    index = an_index(tmp_path)

    read = client(index, token).get("/simple/")
    written = upload(index, *a_wheel(), token=token)

    assert (read.status_code, written.status_code) == (401, 401)
    assert list(tmp_path.iterdir()) == []


def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    kept: list[str] = []
    index = an_index(tmp_path, on_upload=lambda name, _content: kept.append(name))
    upload(index, *a_wheel())

    again = upload(index, *a_wheel())

    assert (again.status_code, again.text) == (200, "already there: forecast==0.9.2\n")
    assert len(kept) == 1


def test_a_version_keeps_the_content_it_was_first_published_with(tmp_path: Path) -> None:
    index = an_index(tmp_path)
    filename, first = a_wheel()
    _, other = a_wheel(files={"forecast/__main__.py": "print('changed')"})
    upload(index, filename, first)

    refused = upload(index, filename, other)

    assert refused.status_code == 409
    assert "publish the change as a new version" in refused.text
    assert (tmp_path / filename).read_bytes() == first


def test_what_cannot_be_kept_is_not_shown(tmp_path: Path) -> None:
    def refuse(_name: str, _content: bytes) -> None:
        raise Conflict("another web service has just taken forecast==0.9.2")

    refused = upload(an_index(tmp_path, on_upload=refuse), *a_wheel())

    assert refused.status_code == 409
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_another_web_service_took_is_served_here_too(tmp_path: Path) -> None:
    filename, content = a_wheel()

    def lacking(have: Collection[str]) -> list[tuple[str, bytes]]:
        return [] if filename in have else [(filename, content)]

    listing = client(an_index(tmp_path, lacking=lacking)).get("/simple/forecast/")

    assert filename in listing.text
    assert (tmp_path / filename).read_bytes() == content


@pytest.mark.parametrize(
    "filename",
    [
        "../forecast-0.9.2-py3-none-any.whl",
        "..\\forecast-0.9.2-py3-none-any.whl",
        "forecast.whl",
        "notes.txt",
        ".forecast-0.9.2.tar.gz",
        "--index-url-0.9.2.tar.gz",
        "kirby-0.9.2-py3-none-any.whl",
    ],
)
def test_a_file_that_is_no_package_is_refused(tmp_path: Path, filename: str) -> None:
    _, content = a_wheel()

    refused = upload(an_index(tmp_path / "index"), filename, content)

    assert refused.status_code == 400
    assert [path.name for path in tmp_path.rglob("*")] == ["index"]


def test_a_file_with_the_metadata_of_another_package_is_refused(tmp_path: Path) -> None:
    filename, content = a_wheel("forecast", says_name="profit")

    refused = upload(an_index(tmp_path), filename, content)

    assert refused.status_code == 400
    assert "its metadata say profit==0.9.2" in refused.text


@pytest.mark.parametrize("content", [b"", b"not a zip archive"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    refused = upload(an_index(tmp_path), "forecast-0.9.2-py3-none-any.whl", content)

    assert refused.status_code == 400
    assert "cannot be read as a package" in refused.text


def test_a_form_without_a_file_is_refused_with_what_it_needs(tmp_path: Path) -> None:
    refused = client(an_index(tmp_path)).post("/", data={":action": "remove_pkg"})

    assert refused.status_code == 400
    assert '":action" (file_upload)' in refused.text


def test_the_index_works_where_it_is_mounted(tmp_path: Path) -> None:
    web = bottle.Bottle()
    web.mount("/index/", an_index(tmp_path))
    filename, content = a_wheel()

    taken = client(web).post(
        "/index/", data={":action": "file_upload"}, files={"content": (filename, content)}
    )
    listing = client(web).get("/index/simple/forecast/")

    assert taken.status_code == 200
    assert f'href="/index/packages/{filename}#sha256=' in listing.text


def test_nothing_but_lists_and_files_is_served(tmp_path: Path) -> None:
    index = client(an_index(tmp_path))

    answers = [index.get(path).status_code for path in ("/", "/forecast/json", "/health")]

    assert answers == [404, 404, 404]
    assert index.post("/RPC2").status_code == 405

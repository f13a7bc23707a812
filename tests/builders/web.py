"""The web service with fakes around it, called as a WSGI server would call it."""

import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlencode, urlsplit
from wsgiref.util import setup_testing_defaults

from kirby.core.errors import KafkaError
from kirby.core.records import Lines, RequestRecord
from kirby.host.key_file import KeyFile, write_ring
from kirby.host.keys import ClusterKeys
from kirby.host.state import StateFolder
from kirby.model.database import connection
from kirby.model.tokens import create_token
from kirby.web.app import create_app
from kirby.web.key_changing import KeyChanging
from kirby.web.parts import LogPiece, LogPlace, Parts
from tests.builders.databases import bind_database
from tests.builders.model import NOON

KEY = ClusterKeys.of(b"k" * 32)


@dataclass(kw_only=True)
class FakeKafka:
    """What was posted and created, and the log that is read, in memory."""

    posted: list[RequestRecord] = field(default_factory=list)
    topics: dict[str, int] = field(default_factory=dict)
    batches: list[Lines] = field(default_factory=list)
    asked: list[LogPlace] = field(default_factory=list)
    down: str = ""

    def post(self, request: RequestRecord) -> None:
        self._answer()
        self.posted.append(request)

    def ensure(self, topics: Mapping[str, int]) -> Sequence[str]:
        self._answer()
        self.topics |= topics
        return sorted(topics)

    def read(self, run: str, attempt: int, place: LogPlace) -> LogPiece:
        self._answer()
        self.asked.append(place)
        first = place.first or 0
        found = [
            (offset, batch)
            for offset, batch in enumerate(self.batches)
            if offset >= first and (batch.run, batch.attempt) == (run, attempt)
        ]
        return LogPiece(batches=found)

    def kafka(self) -> str | None:
        return self.down or None

    def trouble(self) -> str | None:
        return self.down or None

    def _answer(self) -> None:
        if self.down:
            raise KafkaError(self.down)


@dataclass(kw_only=True)
class FakeCatalogue:
    """Lacks what it is told to lack."""

    lacking: set[str] = field(default_factory=set)

    def lacks(self, package: str) -> str | None:
        lacks = package in self.lacking
        return f'package "{package}": no such package in the index' if lacks else None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What the service answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def sentence(self) -> str:
        return str(self.json["faults"][0]["sentence"])


@dataclass(kw_only=True)
class Service:
    """A running service, as its caller sees it."""

    app: Any
    kafka: FakeKafka
    catalogue: FakeCatalogue
    token: str
    clock: list[datetime]
    changing: KeyChanging
    cookie: str = ""
    html: bool = False

    def pass_time(self, seconds: float) -> None:
        self.clock[0] += timedelta(seconds=seconds)

    def get(self, path: str, **query: Any) -> Answer:
        return self.call("GET", path, query=query)

    def post(self, path: str, body: Any = None) -> Answer:
        return self.call("POST", path, body=body)

    def patch(self, path: str, body: Any) -> Answer:
        return self.call("PATCH", path, body=body)

    def delete(self, path: str) -> Answer:
        return self.call("DELETE", path)

    def form(self, path: str, **fields: str) -> Answer:
        data = urlencode(fields).encode()
        return self.call("POST", path, raw=data, kind="application/x-www-form-urlencoded")

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        raw: bytes | None = None,
        kind: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        parts = urlsplit(path)
        data = raw if raw is not None else json.dumps(body).encode() if body is not None else b""
        given = {name: value for name, value in (query or {}).items() if value is not None}
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote(parts.path).encode().decode("latin-1"),
            "QUERY_STRING": parts.query or urlencode(given, quote_via=quote),
            "CONTENT_LENGTH": str(len(data)),
            "CONTENT_TYPE": kind,
            "wsgi.input": io.BytesIO(data),
            "HTTP_ACCEPT": "text/html" if self.html else "application/json",
        }
        if self.token:
            environ["HTTP_AUTHORIZATION"] = f"Bearer {self.token}"
        if self.cookie:
            environ["HTTP_COOKIE"] = f"kirby_session={self.cookie}"
        for name, value in (headers or {}).items():
            environ[f"HTTP_{name.upper().replace('-', '_')}"] = value
        setup_testing_defaults(environ)
        return self._call(environ)

    def _call(self, environ: dict[str, Any]) -> Answer:
        started: dict[str, Any] = {}

        def start(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
            started.update(status=int(status.split()[0]), headers=dict(headers))

        content = b"".join(self.app(environ, start))
        return Answer(status=started["status"], headers=started["headers"], body=content)


@contextmanager
def a_service(folder: Path, **kafka: Any) -> Iterator[Service]:
    """Start the service on a database of its own; its caller has anna's token."""
    bind_database(folder)
    with connection():
        token = create_token("anna", "test", NOON)
    state = StateFolder(path=folder)
    write_ring(state.key, KEY.ring())
    fake, catalogue, clock = FakeKafka(**kafka), FakeCatalogue(), [NOON]
    keys = ClusterKeys(ring=KeyFile(path=state.key).ring, now=lambda: clock[0])
    changing = KeyChanging(folder=state, keys=keys, now=lambda: clock[0])
    app = create_app(
        Parts(
            key=keys,
            key_changing=changing,
            requests=fake,
            logs=fake,
            topics=fake,
            catalogue=catalogue,
            readiness=fake,
            packages_folder=folder / "packages",
            now=lambda: clock[0],
            draw=lambda: "abc123",
            version="0.1.0",
        )
    )
    yield Service(
        app=app, kafka=fake, catalogue=catalogue, token=token, clock=clock, changing=changing
    )

"""The process of the web service: opens what it needs, answers until SIGTERM, closes in order."""

import contextlib
import logging
import os
import secrets
import signal
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from types import FrameType
from typing import Any

from kirby.core.configuration import HostConfiguration
from kirby.core.configuration_fields import Endpoint
from kirby.core.errors import Conflict, KafkaError, PortInUse
from kirby.host.keys import load_or_create_keys
from kirby.host.locks import Taken, take
from kirby.host.state import StateFolder
from kirby.host.web_address import (
    WebAddress,
    choose_web_endpoint,
    leave_first_link,
    url_of,
    write_web_address,
)
from kirby.kafka.client import Kafka
from kirby.kafka.needs import WEB_PARTS
from kirby.kafka.permissions import check_permissions
from kirby.kafka.settings import settings_of
from kirby.model.database import is_sqlite
from kirby.web.app import create_app
from kirby.web.catalogue import PackageCatalogue
from kirby.web.http_server import HttpServer
from kirby.web.kafka_parts import KafkaAnswers, KafkaLogs, KafkaRequests, KafkaTopics
from kirby.web.key_changing import KeyChanging
from kirby.web.listing import Listing
from kirby.web.opening import NO_DATABASE, first_link_path, open_database, see_to_token
from kirby.web.parts import Parts
from kirby.web.projecting import Projecting

SUFFIX_BYTES = 4  # of the run ids that are asked for by hand; the leader refuses one that is known

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class WebSettings:
    """What the process was told."""

    folder: StateFolder
    configuration: HostConfiguration
    listen: Endpoint
    database: str = ""


@dataclass(frozen=True, kw_only=True)
class Readers:
    """Whether Kafka answers, and whether what happens is being read."""

    answers: KafkaAnswers
    projecting: Projecting

    def kafka(self) -> str | None:
        """Return None where Kafka answers, else a sentence."""
        return self.answers.kafka()

    def trouble(self) -> str | None:
        """Return None while what happens is being read, else a sentence."""
        return self.projecting.trouble()


@dataclass(kw_only=True)
class WebProcess:
    """One life of the web service."""

    settings: WebSettings
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Answer until SIGTERM or SIGINT.

        Raises:
            Conflict: another web service of this state folder lives.
            PortInUse, DatabaseError, DatabaseNewer, Insecure: as they say.
        """
        folder = self.settings.folder
        folder.prepare()
        folder.web.mkdir(mode=0o700, exist_ok=True)
        try:
            lock = take(folder.web / "lock")
        except Taken:
            raise Conflict(f"another web service uses {folder.path}") from None
        with contextlib.ExitStack() as stack:
            stack.callback(lock.release)
            self._serve(stack)

    def stop(self, _number: int = 0, _frame: FrameType | None = None) -> None:
        """End after the requests that are under way."""
        self._stop.set()

    def _check_user(self) -> None:
        """See that Kafka allows what this service needs; one that is down does so later.

        Raises:
            PermissionsLacking: it does not.
        """
        settings = settings_of(self.settings.configuration, client="web")
        try:
            check_permissions(settings, WEB_PARTS)
        except KafkaError as fault:
            _log.warning("%s", fault)

    def _serve(self, stack: contextlib.ExitStack) -> None:
        self._check_user()
        folder = self.settings.folder
        before, _ = open_database(folder, self.settings.database)
        server = self._listening(create_app(self._parts(stack)))
        address = server.address
        url = url_of(address, self.settings.configuration.address)
        signal.signal(signal.SIGTERM, self.stop)
        signal.signal(signal.SIGINT, self.stop)
        threading.Thread(target=server.serve, name="kirby-web", daemon=True).start()
        see_to_token(folder, url, datetime.now(UTC))
        write_web_address(folder, WebAddress(host=address.host, port=address.port, pid=os.getpid()))
        if before == NO_DATABASE:
            leave_first_link(folder, url + first_link_path(datetime.now(UTC)))
        listing = Listing(url=url, host=self.settings.configuration.name, version=own_version())
        stack.callback(listing.close)
        listing.start()
        _log.info("the web service answers at %s", url)
        self._stop.wait()
        server.stop()

    def _parts(self, stack: contextlib.ExitStack) -> Parts:
        settings = settings_of(self.settings.configuration, client="web")
        requests, logs = KafkaRequests(settings), KafkaLogs(settings)
        projecting = Projecting(Kafka(settings=settings), shares=not is_sqlite())
        for each in (requests, logs, projecting):
            stack.callback(each.close)
        projecting.start()
        keys = load_or_create_keys(self.settings.folder)
        changing = KeyChanging(folder=self.settings.folder, keys=keys)
        stack.callback(changing.close)
        changing.begin()
        return Parts(
            key=keys,
            key_changing=changing,
            requests=requests,
            logs=logs,
            topics=KafkaTopics(settings),
            catalogue=PackageCatalogue(index=self.settings.configuration.package_index),
            readiness=Readers(answers=KafkaAnswers(settings), projecting=projecting),
            packages_folder=self.settings.folder.web / "packages",
            draw=lambda: secrets.token_hex(SUFFIX_BYTES),
            version=own_version(),
        )

    def _listening(self, app: Any) -> HttpServer:
        """Take the address.

        Raises:
            PortInUse: it cannot be had.
        """
        endpoint = choose_web_endpoint(self.settings.folder, self.settings.listen)
        try:
            return HttpServer(app, endpoint)
        except OSError as fault:
            raise PortInUse(
                f"the web service cannot listen on {endpoint} ({fault.strerror or fault}): "
                "choose another address with --listen"
            ) from fault


def own_version() -> str:
    """Return the version of this installation."""
    try:
        return version("kirby")
    except PackageNotFoundError:
        return "0"

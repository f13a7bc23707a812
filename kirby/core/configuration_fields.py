"""The settings of a host, one by one: where each goes, and what fits it."""

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass

from kirby.core.errors import InvalidName
from kirby.core.names import check_name

VARIABLE_PREFIX = "KIRBY_"
DATABASE_VARIABLE = "KIRBY_DATABASE"
# Of the command line, and of scripts: a host may be started from a shell that has them.
_COMMAND_LINE = ("URL", "TOKEN")
_SCRIPT = ("RUN_ID", "ATTEMPT", "SCHEDULED_AT", "FENCING_TOKEN", "JOB", "ENVIRONMENT", "HOST")
_LIBRARY = ("KAFKA", "TOPIC_PREFIX", "GROUP", "LOG_FD", "GATE_FD", "PACKAGE")
_EMBEDDED_KAFKA = ("CACHE", "JAVA", "KAFKA_JARS")
NOT_OF_THE_HOST = frozenset(
    VARIABLE_PREFIX + name for name in (*_COMMAND_LINE, *_SCRIPT, *_LIBRARY, *_EMBEDDED_KAFKA)
)

_SIZE = re.compile(r"(\d+)\s*([kMGT]i?B|B)?")
_UNITS: dict[str, int] = {"": 1, "B": 1} | {
    f"{letter}{binary}B": base**power
    for power, letter in enumerate("kMGT", start=1)
    for binary, base in (("", 1000), ("i", 1024))
}


class Unfit(ValueError):
    """A value that does not fit its setting; says why, and what does."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where something listens."""

    host: str
    port: int

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach it."""
        return self.host == "localhost" or self.host.startswith("127.")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One setting: the attribute that it becomes, its flag, and how it is read."""

    attribute: str  # empty: it goes into the client settings of Kafka
    flag: str
    parse: Callable[[object], object]


def variable_of(name: str) -> str:
    """Return the environment variable of a setting."""
    if name == "web.database":
        return DATABASE_VARIABLE  # the command line's upgrades of the database read it as well
    return VARIABLE_PREFIX + name.replace(".", "_").upper()


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise Unfit(f"{value!r} is no text: write it in quotes")
    return value.strip()


def _whole(least: int, most: int) -> Callable[[object], int]:
    def parse(value: object) -> int:
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            number = None
        if not isinstance(number, int) or isinstance(number, bool) or not least <= number <= most:
            raise Unfit(f"{value!r} does not fit: use a whole number from {least} to {most}")
        return number

    return parse


def _one_of(*choices: str) -> Callable[[object], str]:
    def parse(value: object) -> str:
        if value not in choices:
            raise Unfit(f"{value!r} is unknown: use one of {', '.join(choices)}")
        return str(value)

    return parse


def _host_name(value: object) -> str:
    try:
        return check_name("host", _text(value))
    except InvalidName as fault:
        raise Unfit(fault.faults[0].sentence) from None


def _address(value: object) -> str:
    text = _text(value)
    try:
        address = ipaddress.IPv4Address(text)
    except ValueError:
        raise Unfit(f'"{text}" is no IPv4 address: use one of this machine, as digits') from None
    if address.is_unspecified or address.is_multicast:
        raise Unfit(f"{text} names no single interface: use the address at which others reach it")
    return text


def _endpoint(value: object) -> Endpoint:
    host, _, port = _text(value).rpartition(":")
    if not host or not port.isdigit() or not 0 <= int(port) < 65536:
        raise Unfit(f'"{value}" does not fit: use HOST:PORT')
    return Endpoint(host=host.strip("[]"), port=int(port))


def _joinable(value: object) -> Endpoint:
    endpoint = _endpoint(value)
    if endpoint.port == 0:
        raise Unfit(f'"{value}" has no port: use HOST:PORT')
    return endpoint


def _endpoints(value: object) -> str:
    servers = _list(value)
    for server in servers:
        if _endpoint(server).port == 0:
            raise Unfit(f'"{server}" has no port: use HOST:PORT')
    return ",".join(servers)


def _urls(value: object) -> tuple[str, ...]:
    urls = tuple(url.rstrip("/") for url in _list(value))
    for url in urls:
        if not re.fullmatch(r"https?://[^\s/]+(/\S*)?", url):
            raise Unfit(f'"{url}" is no address of a web service: use http://HOST:PORT')
    return urls


def _database(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"sqlite:///.+|postgres(ql)?://\S+", text):
        # What was written is not repeated: it may hold a password.
        raise Unfit(
            "this is no database: use sqlite:///PATH or postgresql://USER:PASSWORD@HOST:PORT/NAME"
        )
    return text


def _list(value: object) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value
    if not isinstance(parts, list) or not parts:
        raise Unfit(f"{value!r} is no list: write one or more, with commas between")
    return [_text(part) for part in parts]


def _size(value: object) -> int:
    match = _SIZE.fullmatch(str(value).strip())
    if isinstance(value, bool) or not match or int(match[1]) == 0:
        raise Unfit(f'{value!r} is no size: write one like "512 MB"')
    return int(match[1]) * _UNITS[match[2] or ""]


def _prefix(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", text):
        raise Unfit(f'"{text}" cannot begin a topic\'s name: use letters, digits, ".", "_", "-"')
    return text


def _setting(attribute: str, flag: str, parse: Callable[[object], object]) -> Setting:
    return Setting(attribute=attribute, flag=flag, parse=parse)


_PROTOCOLS = _one_of("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_MECHANISMS = _one_of("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")
FIELDS: dict[str, Setting] = {
    "name": _setting("name", "--name", _host_name),
    "address": _setting("address", "--address", _address),
    "port": _setting("port", "--port", _whole(1, 65535)),
    "slots": _setting("slots", "--slots", _whole(1, 10_000)),
    "state": _setting("state", "--state", _text),
    "priority": _setting("priority", "--priority", _whole(-1000, 1000)),
    "convention_leader": _setting("convention_leader", "--convention-leader", _joinable),
    "parked_memory": _setting("parked_memory_bytes", "parked_memory", _size),
    "watchdogs": _setting("watchdogs", "watchdogs", _whole(1, 1000)),
    "kafka.bootstrap": _setting("kafka", "--kafka", _endpoints),
    "kafka.topic_prefix": _setting("topic_prefix", "kafka.topic_prefix", _prefix),
    "kafka.replication": _setting("replication", "kafka.replication", _whole(1, 9)),
    "kafka.security_protocol": _setting("", "kafka.security_protocol", _PROTOCOLS),
    "kafka.sasl_mechanism": _setting("", "kafka.sasl_mechanism", _MECHANISMS),
    "kafka.sasl_username": _setting("", "kafka.sasl_username", _text),
    "kafka.sasl_password": _setting("", "kafka.sasl_password", _text),
    "kafka.ca_file": _setting("", "kafka.ca_file", _text),
    "kafka.certificate_file": _setting("", "kafka.certificate_file", _text),
    "kafka.key_file": _setting("", "kafka.key_file", _text),
    "kafka.key_password": _setting("", "kafka.key_password", _text),
    "kafka.scripts.sasl_username": _setting("", "kafka.scripts.sasl_username", _text),
    "kafka.scripts.sasl_password": _setting("", "kafka.scripts.sasl_password", _text),
    "kafka.scripts.certificate_file": _setting("", "kafka.scripts.certificate_file", _text),
    "kafka.scripts.key_file": _setting("", "kafka.scripts.key_file", _text),
    "kafka.scripts.key_password": _setting("", "kafka.scripts.key_password", _text),
    "web.urls": _setting("web_urls", "--web", _urls),
    "web.listen": _setting("web_listen", "--web-listen", _endpoint),
    "web.database": _setting("database", "--database", _database),
    "package_index": _setting("package_index", "package_index", _text),
}

"""What a host is told: flags over environment over file, checked as a whole.

Pure: the caller reads the command line, the environment and the TOML file, and hands over plain
mappings. Every fault of all three is reported at once.
"""

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from kirby.core.configuration_fields import (
    FIELDS,
    NOT_OF_THE_HOST,
    VARIABLE_PREFIX,
    Endpoint,
    Unfit,
    variable_of,
)
from kirby.core.errors import Fault, InvalidConfiguration
from kirby.core.names import Host

SLOTS_PER_CORE = 4  # scripts mostly wait for others, so more than one per core
MEMORY_SHARE_PARKED = 8  # parked interpreters may take an eighth of the machine
EMBEDDED_REPLICATION = 1
REPLICATION = 3  # of topics that Kirby makes in a Kafka that it does not run itself
WEB_LISTEN = Endpoint(host="127.0.0.1", port=8642)
LOOPBACK = "127.0.0.1"

_NEAR = 0.6  # similarity from which an unknown key was probably meant to be a known one
_KAFKA_SETTINGS = {
    "kafka.security_protocol": "security.protocol",
    "kafka.sasl_mechanism": "sasl.mechanism",
    "kafka.sasl_username": "sasl.username",
    "kafka.sasl_password": "sasl.password",
    "kafka.ca_file": "ssl.ca.location",
    "kafka.certificate_file": "ssl.certificate.location",
    "kafka.key_file": "ssl.key.location",
    "kafka.key_password": "ssl.key.password",
}
# What tells Kafka who asks: the scripts' own user has none of the host's.
_WHO_ASKS = ("sasl_username", "sasl_password", "certificate_file", "key_file", "key_password")
_SCRIPTS_SETTINGS = {
    f"kafka.scripts.{name}": _KAFKA_SETTINGS[f"kafka.{name}"] for name in _WHO_ASKS
}
_TOGETHER = (
    ("kafka.scripts.sasl_username", "kafka.scripts.sasl_password"),
    ("kafka.scripts.certificate_file", "kafka.scripts.key_file"),
)


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What the defaults are taken from: the machine that the host is to run on."""

    hostname: str
    cores: int
    memory_bytes: int
    state: str  # the state folder where none is named


@dataclass(frozen=True, kw_only=True)
class HostConfiguration:
    """All that a host is told; an empty `kafka` or `web_urls` means: start one yourself."""

    name: Host
    state: str
    address: str = LOOPBACK
    port: int = 8641
    slots: int = SLOTS_PER_CORE
    priority: int = 0
    convention_leader: Endpoint | None = None
    parked_memory_bytes: int = 512 * 1024 * 1024
    watchdogs: int = 64
    kafka: str = ""  # bootstrap servers, `host:port,host:port`
    kafka_settings: Mapping[str, str] = field(default_factory=dict, repr=False)  # of librdkafka
    # Who scripts are to Kafka; empty: whoever the host is.
    kafka_scripts: Mapping[str, str] = field(default_factory=dict, repr=False)
    topic_prefix: str = ".kirby."
    replication: int = EMBEDDED_REPLICATION
    web_urls: tuple[str, ...] = ()
    web_listen: Endpoint = WEB_LISTEN
    database: str = field(default="", repr=False)  # of the web service; empty: SQLite beside it
    package_index: str = ""  # besides the built-in one; empty: the public index

    @property
    def is_loopback(self) -> bool:
        """Whether other machines cannot reach this host."""
        return self.address.startswith("127.")

    def client_settings(self) -> dict[str, str]:
        """Return the settings of a Kafka client, by librdkafka's names."""
        return {"bootstrap.servers": self.kafka, **self.kafka_settings}


def configure(
    *,
    machine: Machine,
    flags: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    file: Mapping[str, object] | None = None,
) -> HostConfiguration:
    """Put a host's configuration together; the earlier of flags, environment and file wins.

    Args:
        machine: gives the defaults.
        flags: by field (`kafka.bootstrap`); a value of None counts as not given.
        environment: all of it; only `KIRBY_…` is looked at.
        file: as read from TOML, with tables for `[kafka]` and `[web]`.

    Raises:
        InvalidConfiguration: with every fault of all three.
    """
    given: dict[str, tuple[str, object]] = {}
    faults: list[Fault] = []
    for place, key, value in _all_given(file or {}, environment or {}, flags or {}):
        if key in FIELDS:
            given[key] = (place, value)
        else:
            faults.append(_unknown(place, key))
    values = _parsed(given, faults)
    faults.extend(_faults_together(values))
    if faults:
        raise InvalidConfiguration(faults)
    return _host(values, machine)


def _all_given(
    file: Mapping[str, object], environment: Mapping[str, str], flags: Mapping[str, object]
) -> Iterator[tuple[str, str, object]]:
    """Yield (what the person wrote, field, value), the weakest first."""
    variables = {variable_of(name): name for name in FIELDS}
    for key, value in _flat(file):
        yield key, key, value
    for variable, text in environment.items():
        if variable.startswith(VARIABLE_PREFIX) and variable not in NOT_OF_THE_HOST:
            yield variable, variables.get(variable, variable), text
    for key, flag in flags.items():
        if flag is not None:
            yield FIELDS[key].flag if key in FIELDS else key, key, flag


def _flat(table: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object]]:
    for key, value in table.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield prefix + key, value


def _unknown(place: str, key: str) -> Fault:
    known = [variable_of(name) for name in FIELDS] if key.startswith(VARIABLE_PREFIX) else FIELDS
    near = difflib.get_close_matches(key, known, n=1, cutoff=_NEAR)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
    return Fault(field=place, sentence=f"there is no such setting; {hint}")


def _parsed(given: Mapping[str, tuple[str, object]], faults: list[Fault]) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, (place, value) in given.items():
        try:
            values[key] = FIELDS[key].parse(value)
        except Unfit as unfit:
            faults.append(Fault(field=place, sentence=str(unfit)))
    return values


def _faults_together(values: Mapping[str, object]) -> Iterator[Fault]:
    """Find what is wrong only in combination."""
    if "kafka.bootstrap" not in values:
        for key in (*_KAFKA_SETTINGS, *_SCRIPTS_SETTINGS):
            if key in values:
                yield Fault(field=key, sentence="has no meaning without kafka.bootstrap: add it")
    for one, other in _TOGETHER:
        if (one in values) != (other in values):
            lacks, there = (other, one) if one in values else (one, other)
            yield Fault(field=there, sentence=f"has no meaning without {lacks}: add it")


def _host(values: dict[str, object], machine: Machine) -> HostConfiguration:
    renamed = {
        FIELDS[key].attribute: value for key, value in values.items() if FIELDS[key].attribute
    }
    defaults: dict[str, object] = {
        "name": _name_of(machine.hostname),
        "state": machine.state,
        "slots": SLOTS_PER_CORE * machine.cores,
        "parked_memory_bytes": machine.memory_bytes // MEMORY_SHARE_PARKED,
        "replication": REPLICATION if "kafka.bootstrap" in values else EMBEDDED_REPLICATION,
        "kafka_settings": _of_the_client(values, _KAFKA_SETTINGS),
        "kafka_scripts": _of_the_client(values, _SCRIPTS_SETTINGS),
    }
    return HostConfiguration(**(defaults | renamed))  # type: ignore[arg-type]


def _of_the_client(values: Mapping[str, object], names: Mapping[str, str]) -> dict[str, str]:
    return {setting: str(values[key]) for key, setting in names.items() if key in values}


def _name_of(hostname: str) -> Host:
    """Make a host's name from the machine's: the part before the first dot, as names are spelt."""
    spelt = "".join(c if c.isascii() and c.isalnum() else "-" for c in hostname.split(".")[0])
    return Host(spelt.lower().strip("-")[:63] or "host")

"""A Kafka that lets nobody in without TLS, a password, and a permission for each thing done."""

import contextlib
import datetime
import ipaddress
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from confluent_kafka.admin import (
    AclBinding,
    AclBindingFilter,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from kirby.kafka import embedded
from kirby.kafka.broker_files import BrokerFolder, Ports, chosen_ports, write_settings
from kirby.kafka.broker_process import Program, format_data, jars_in, kill, spawn
from kirby.kafka.jars import ensure_jars
from kirby.kafka.java import find_java
from kirby.kafka.knock import answers
from kirby.kafka.needs import Kind, Need
from kirby.kafka.progress import silent
from tests.stories.host import free_port
from tests.stories.patience import eventually

LOOPBACK = "127.0.0.1"
KINDS = {
    Kind.TOPIC: ResourceType.TOPIC,
    Kind.GROUP: ResourceType.GROUP,
    Kind.TRANSACTIONAL_ID: ResourceType.TRANSACTIONAL_ID,
}
OPERATIONS = {
    "Read": AclOperation.READ,
    "Write": AclOperation.WRITE,
    "Create": AclOperation.CREATE,
    "Describe": AclOperation.DESCRIBE,
    "DescribeConfigs": AclOperation.DESCRIBE_CONFIGS,
}


@dataclass(frozen=True, kw_only=True)
class SecureKafka:
    """A running one; who asks its inner listener is its administrator."""

    bootstrap: str
    ca_file: Path
    admin: AdminClient

    def settings_of(self, user: str) -> Mapping[str, str]:
        """Return what lets a user in, by librdkafka's names."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": "SCRAM-SHA-512",
            "sasl.username": user,
            "sasl.password": password_of(user),
            "ssl.ca.location": str(self.ca_file),
        }

    def knows(self, *users: str) -> None:
        """Let users sign in."""
        scram = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        made = self.admin.alter_user_scram_credentials(
            [UserScramCredentialUpsertion(u, scram, password_of(u).encode()) for u in users]
        )
        for future in made.values():
            future.result(30)

    def allows(self, user: str, needs: Iterable[Need]) -> None:
        """Let a user do things."""
        bindings = {binding(user, need) for need in needs}
        for future in self.admin.create_acls(list(bindings)).values():
            future.result(30)

    def forbids(self, user: str, need: Need) -> None:
        """Take one permission away."""
        gone = binding(user, need)
        asked = AclBindingFilter(
            gone.restype,
            gone.name,
            gone.resource_pattern_type,
            gone.principal,
            gone.host,
            gone.operation,
            gone.permission_type,
        )
        for future in self.admin.delete_acls([asked]).values():
            assert future.result(30), "there was no such permission"


def password_of(user: str) -> str:
    return f"{user}-knows-its-crumbs"


def binding(user: str, need: Need) -> AclBinding:
    pattern = ResourcePatternType.PREFIXED if need.prefixed else ResourcePatternType.LITERAL
    operation = OPERATIONS[need.operation]
    allow = AclPermissionType.ALLOW
    return AclBinding(KINDS[need.kind], need.name, pattern, f"User:{user}", "*", operation, allow)


@contextlib.contextmanager
def a_secure_kafka(folder: Path) -> Iterator[SecureKafka]:
    """Start one in a folder of its own; end it."""
    broker = BrokerFolder(path=folder.resolve())
    broker.scratch.mkdir(parents=True)
    ca_file, keystore = _certificate(broker.path)
    ports, outer = chosen_ports(broker), free_port(LOOPBACK)
    sources = embedded.sources_of(os.environ)
    jars = sources.jars or ensure_jars(sources.cache, silent)
    program = Program(java=find_java(sources.java), jars=jars_in(jars), cache=sources.cache)
    _write(broker, ports, outer, keystore, broker.data_draft)
    format_data(program, broker)
    _write(broker, ports, outer, keystore, broker.data)
    pid = spawn(program, broker)
    try:
        answered = eventually(
            lambda: answers(LOOPBACK, ports.clients, 5.0), what="Kafka answers", within_s=90
        )
        assert answered
        admin = AdminClient({"bootstrap.servers": ports.bootstrap})
        yield SecureKafka(bootstrap=f"{LOOPBACK}:{outer}", ca_file=ca_file, admin=admin)
    finally:
        kill(pid)


def _write(broker: BrokerFolder, ports: Ports, outer: int, keystore: Path, data: Path) -> None:
    """Write the settings of an embedded broker, and then those that hold instead."""
    write_settings(broker, ports, data)
    inner = f"CLIENTS://{ports.bootstrap},CONTROLLER://{LOOPBACK}:{ports.controller}"
    scram = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    instead = {
        "listeners": f"{inner},OUTER://{LOOPBACK}:{outer}",
        "advertised.listeners": f"CLIENTS://{ports.bootstrap},OUTER://{LOOPBACK}:{outer}",
        "listener.security.protocol.map": ("CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT,OUTER:SASL_SSL"),
        "sasl.enabled.mechanisms": "SCRAM-SHA-512",
        "listener.name.outer.scram-sha-512.sasl.jaas.config": scram,
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": keystore,
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users": "User:ANONYMOUS",
        "allow.everyone.if.no.acl.found": "false",
    }
    with broker.settings.open("a") as file:
        file.writelines(f"{key}={value}\n" for key, value in instead.items())


def _certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate that signs itself; return what clients trust, and what the broker has."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "kafka of a test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address(LOOPBACK))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    ca_file, keystore = folder / "ca.pem", folder / "broker.pem"
    ca_file.write_bytes(public)
    keystore.write_bytes(private + public)
    return ca_file, keystore

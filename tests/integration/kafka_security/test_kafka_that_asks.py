"""A Kafka with TLS, passwords and permissions: what is listed is enough, and is needed."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import tomli_w

from kirby.actors.starting import check_kafka
from kirby.core.configuration import HostConfiguration
from kirby.core.errors import ExitCode, PermissionsLacking
from kirby.core.names import Host as HostName
from kirby.kafka.making import ensure_topics
from kirby.kafka.needs import HOST_PARTS, WEB_PARTS, Kind, Need, needs
from kirby.kafka.permissions import check_permissions
from kirby.kafka.settings import KafkaSettings
from tests.builders.secure_kafka import SecureKafka, a_secure_kafka, password_of
from tests.stories.host import Host
from tests.stories.patience import eventually

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
PARTS = (*HOST_PARTS, *WEB_PARTS)
OF_SCRIPTS = (
    *(
        Need(part="scripts", kind=Kind.TOPIC, name="loaves", operation=operation, prefixed=True)
        for operation in ("Read", "Write", "Create")
    ),
    Need(part="scripts", kind=Kind.GROUP, name="prod.", operation="Read", prefixed=True),
)


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureKafka]:
    """Give a Kafka that knows some users and allows none of them anything."""
    with a_secure_kafka(tmp_path_factory.mktemp("secure") / "kafka") as kafka:
        kafka.knows("kirby", "scripts", "nobody", "baker")
        yield kafka


def settings(kafka: SecureKafka, user: str, prefix: str = ".kirby.") -> KafkaSettings:
    security = kafka.settings_of(user)
    return KafkaSettings(bootstrap=kafka.bootstrap, prefix=prefix, security=security)


@pytest.fixture(scope="module")
def baker(kafka: SecureKafka) -> KafkaSettings:
    """Give an installation whose user may do all that is listed; its topics are made."""
    made = settings(kafka, "baker", ".bakery.")
    kafka.allows("baker", needs(made, PARTS))
    ensure_topics(made)
    return made


def test_a_broker_that_speaks_tls_is_found_before_the_start(kafka: SecureKafka) -> None:
    given = HostConfiguration(
        name=HostName("alpha"),
        state="/nowhere",
        kafka=kafka.bootstrap,
        kafka_settings=kafka.settings_of("kirby"),
    )

    check_kafka(given)  # raises nothing


def test_what_is_listed_is_enough_for_the_check(baker: KafkaSettings) -> None:
    check_permissions(baker, PARTS)  # raises nothing


@pytest.mark.parametrize(
    ("name", "operation", "part"),
    [
        (".bakery.claims", "Write", "scheduler"),
        (".bakery.logs", "Write", "recorder"),
        (".bakery.requests", "Read", "scheduler"),
        (".bakery.job-offers.daemon", "Read", "scheduler"),
    ],
)
def test_a_permission_that_is_taken_away_is_told_with_its_part(
    kafka: SecureKafka, baker: KafkaSettings, name: str, operation: str, part: str
) -> None:
    gone = Need(part=part, kind=Kind.TOPIC, name=name, operation=operation)
    kafka.forbids("baker", gone)

    def told() -> str:
        try:
            check_permissions(baker, PARTS)
        except PermissionsLacking as lacks:
            return str(lacks)
        return ""

    try:
        sentence = eventually(told, what="the check says what lacks")
    finally:
        kafka.allows("baker", [gone])

    assert f"{operation} on topic {name}, for the {part}" in sentence
    assert 'the user "baker"' in sentence


def test_a_transactional_id_that_is_not_allowed_is_told(
    kafka: SecureKafka, baker: KafkaSettings
) -> None:
    ids = [n for n in needs(baker, PARTS) if n.kind is Kind.TRANSACTIONAL_ID]
    for need in ids:
        kafka.forbids("baker", need)

    try:
        with pytest.raises(PermissionsLacking, match="transactional ids that begin with"):
            check_permissions(baker, PARTS)
    finally:
        kafka.allows("baker", ids)


def test_a_user_who_may_make_no_topic_is_told_before_anything_is_started(
    kafka: SecureKafka,
) -> None:
    with pytest.raises(PermissionsLacking, match=r"does not allow topic .* to be made"):
        ensure_topics(settings(kafka, "nobody"))


def test_a_wrong_password_is_told_as_such(kafka: SecureKafka) -> None:
    right = settings(kafka, "kirby")
    wrong = replace(right, security={**right.security, "sasl.password": "guessed"})

    with pytest.raises(Exception, match=r"refuses the sign-in|does not answer"):
        ensure_topics(wrong, limit_s=10)


def flags(kafka: SecureKafka, folder: Path, user: str) -> list[str]:
    """Write the settings of a host whose scripts are somebody else than it is."""
    told = {
        "bootstrap": kafka.bootstrap,
        "replication": 1,
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_username": user,
        "sasl_password": password_of(user),
        "ca_file": str(kafka.ca_file),
        "scripts": {"sasl_username": "scripts", "sasl_password": password_of("scripts")},
    }
    path = folder / "kirby.toml"
    path.write_text(tomli_w.dumps({"kafka": told}))
    return ["--config", str(path)]


def test_a_host_without_permissions_does_not_start(kafka: SecureKafka, tmp_path: Path) -> None:
    host = Host(tmp_path / "nobody", flags=flags(kafka, tmp_path, "nobody"))
    try:
        host.begin()
        code = host.wait_for_the_end()
    finally:
        host.clean_up()

    assert code == ExitCode.KAFKA_PERMISSIONS
    assert "python -m kirby.kafka permissions" in host.said


def test_a_whole_host_works_with_what_is_listed_and_its_scripts_are_somebody_else(
    kafka: SecureKafka, tmp_path: Path
) -> None:
    kafka.allows("kirby", needs(settings(kafka, "kirby"), PARTS))
    kafka.allows("scripts", OF_SCRIPTS)
    host = Host(tmp_path / "alpha", flags=flags(kafka, tmp_path, "kirby"))
    try:
        host.start()
        host.publishes("sender.py")
        baked = {"package": "sender==1.0.0", "prod": {"set": {"LOAF": "rye"}}}
        host.applies({"sender": baked})
        said = host.kirby("run", "sender", "--wait")
        log = host.kirby("logs", "sender")
    finally:
        host.clean_up()

    assert said.code == ExitCode.OK, (said, log)
    assert "sent rye" in log.out
    assert password_of("kirby") not in host.said

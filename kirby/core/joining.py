"""May this host join those that are here, and what does it share with them?

Asked by a start process before it starts anything. Each reason against it is a class of its own
(`core.errors`), a sentence, and an exit code.
"""

from collections.abc import Iterable
from dataclasses import replace

from kirby.core.configuration import HostConfiguration
from kirby.core.configuration_fields import Endpoint
from kirby.core.errors import (
    EmbeddedKafkaAlone,
    InvalidConfiguration,
    JoinFromLoopback,
    NameInUse,
    OtherKafka,
    VersionDiffers,
)
from kirby.core.names import StateFolderId
from kirby.core.roll_call import Introduction


def joins_another(configuration: HostConfiguration) -> bool:
    """Whether a host is to join others; one that names itself waits for others."""
    leader = configuration.convention_leader
    return leader is not None and leader != own_endpoint(configuration)


def own_endpoint(configuration: HostConfiguration) -> Endpoint:
    """Return where the actors of a host are met."""
    return Endpoint(host=configuration.address, port=configuration.port)


def check_address(configuration: HostConfiguration) -> None:
    """See that the others could answer.

    Raises:
        JoinFromLoopback: they are on other machines, and this host listens on loopback.
    """
    leader = configuration.convention_leader
    if leader is not None and configuration.is_loopback and not leader.is_loopback:
        raise JoinFromLoopback(
            f"the hosts at {leader} cannot reach this one on {configuration.address}: "
            "give the address at which they do, with --address"
        )


def check_version(own: str, present: Iterable[Introduction]) -> None:
    """See that all who are here speak as this host does.

    Raises:
        VersionDiffers: naming a host that does not.
    """
    for each in present:
        if not are_compatible(own, each.version):
            raise VersionDiffers(
                f"this is Kirby {own}, and {each.host} ({each.listens}) runs {each.version}, which "
                "does not work together with it: install the same version on all hosts"
            )


def check_name(
    configuration: HostConfiguration, folder: StateFolderId, present: Iterable[Introduction]
) -> None:
    """See that no other host has this one's name.

    Raises:
        NameInUse: naming where it is.
    """
    for each in present:
        if each.host == configuration.name and each.state_folder != folder:
            raise NameInUse(
                f'a host named "{each.host}" is there already, at {each.listens}: '
                "give this one another name with --name"
            )


def check_kafka(
    configuration: HostConfiguration, cluster: str, present: Iterable[Introduction]
) -> None:
    """See that a Kafka of this host's own choice is the one that all use.

    Raises:
        OtherKafka: it is another cluster's.
    """
    for each in present:
        if each.kafka_cluster and each.kafka_cluster != cluster:
            raise OtherKafka(
                f"the Kafka at {configuration.kafka} (cluster {cluster}) is not the one that "
                f"{each.host} uses, at {each.kafka} (cluster {each.kafka_cluster}): "
                f"give --kafka {each.kafka}"
            )


def sharing(configuration: HostConfiguration, present: Iterable[Introduction]) -> HostConfiguration:
    """Return the configuration with the Kafka and the web service of those that are here.

    What the configuration names itself stays. Hosts of one machine, all on loopback, share what
    the first of them runs.

    Raises:
        EmbeddedKafkaAlone: theirs runs for their own machine only.
        OtherKafka: they use one of their own, and this host would start another.
        InvalidConfiguration: their web service answers on their own machine only.
    """
    for each in present:
        if not configuration.kafka:
            configuration = replace(configuration, kafka=_kafka_of(each, configuration))
        if not configuration.web_urls:
            configuration = replace(configuration, web_urls=_web_of(each, configuration))
    return configuration


def _kafka_of(each: Introduction, configuration: HostConfiguration) -> str:
    if not _is_local(each.kafka.split(",")):
        raise OtherKafka(
            f"{each.host} uses the Kafka at {each.kafka}, and this host would start one of its "
            f"own: give --kafka {each.kafka}"
        )
    if not configuration.is_loopback:
        raise EmbeddedKafkaAlone(
            f"{each.host} ({each.listens}) uses a Kafka that answers on its own machine only "
            f"({each.kafka}): give all hosts one that each of them reaches, with --kafka"
        )
    return each.kafka


def _web_of(each: Introduction, configuration: HostConfiguration) -> tuple[str, ...]:
    places = [url.partition("://")[2].partition("/")[0] for url in each.web_urls]
    if _is_local(places) and not configuration.is_loopback:
        raise InvalidConfiguration(
            f"the web service of {each.host} answers on its own machine only "
            f"({', '.join(each.web_urls)}): start {each.host} with --web-listen and an address "
            "that this host reaches, or name another web service with --web"
        )
    return each.web_urls


def are_compatible(one: str, other: str) -> bool:
    """Whether two versions of Kirby work together: before 1.0 a minor version changes all."""
    return _generation(one) == _generation(other)


def _generation(version: str) -> list[str]:
    parts = version.split(".")
    return parts[:2] if parts[0] == "0" else parts[:1]


def _is_local(places: Iterable[str]) -> bool:
    """Whether all of `host:port` are on loopback."""
    hosts = [place.rpartition(":")[0] for place in places]
    return all(Endpoint(host=host, port=0).is_loopback for host in hosts)

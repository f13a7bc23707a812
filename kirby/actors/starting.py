"""What is checked before a host starts, and what is left of it when it ends."""

import os
from collections.abc import Iterable, Iterator
from datetime import datetime

from kirby.actors.actor_system import is_port_free
from kirby.actors.service import Services
from kirby.core.configuration import HostConfiguration
from kirby.core.errors import (
    KafkaError,
    KafkaNotReachable,
    KirbyError,
    PortInUse,
    StateInUse,
    TopicsDiffer,
)
from kirby.host import locks
from kirby.host.state import StateFolder
from kirby.kafka.knock import answers, listens
from kirby.kafka.making import ensure_topics
from kirby.kafka.needs import HOST_PARTS, WEB_PARTS
from kirby.kafka.permissions import check_permissions
from kirby.kafka.queries import cluster_id
from kirby.kafka.settings import settings_of
from kirby.kafka.topics import Difference

KNOCK_WITHIN_S = 5.0


def take_state_folder(folder: StateFolder, since: datetime) -> locks.Lock:
    """Take a state folder for this process.

    Raises:
        StateInUse: naming who has it, since when, and what to do.
    """
    try:
        lock = locks.take(folder.lock)
    except locks.Taken as taken:
        raise StateInUse(
            f"another Kirby ({taken.said or 'just starting'}) uses {folder.path}: "
            "stop it with 'kirby stop', or choose another folder with --state"
        ) from None
    lock.say(f"pid {os.getpid()}, since {since.astimezone():%H:%M}")
    return lock


def holder_of(folder: StateFolder) -> int:
    """Return the pid of the start process that holds a state folder."""
    return int(folder.lock.read_text().partition(",")[0].removeprefix("pid "))


def check_kafka(configuration: HostConfiguration) -> None:
    """See that one of the brokers answers.

    Raises:
        KafkaNotReachable: none does.
    """
    knock = listens if _speaks_tls(configuration) else answers
    for server in configuration.kafka.split(","):
        host, _, port = server.rpartition(":")
        if knock(host, int(port), KNOCK_WITHIN_S):
            return
    raise KafkaNotReachable(
        f"no Kafka broker answers at {configuration.kafka}: "
        "start it, or give another address with --kafka"
    )


def _speaks_tls(configuration: HostConfiguration) -> bool:
    return "SSL" in configuration.kafka_settings.get("security.protocol", "").split("_")


def check_user(configuration: HostConfiguration) -> None:
    """See that this host's user may do in Kafka what its parts need; leaves no thread, either.

    Raises:
        PermissionsLacking: naming what.
        KafkaNotReachable: Kafka does not answer in time.
    """
    parts = HOST_PARTS if configuration.web_urls else (*HOST_PARTS, *WEB_PARTS)
    try:
        check_permissions(settings_of(configuration, client="start"), parts)
    except KafkaError as fault:
        raise KafkaNotReachable(str(fault)) from fault


def make_topics(configuration: HostConfiguration) -> list[str]:
    """Make the internal topics that lack; return a sentence for each that is not as it should be.

    It leaves no thread of a Kafka client behind: the actors are forked from this process.

    Raises:
        KafkaNotReachable: Kafka does not answer in time, or refuses.
        TopicsDiffer: a topic is kept in a way in which Kirby would go wrong.
    """
    try:
        differences = ensure_topics(settings_of(configuration))
    except KafkaError as fault:
        raise KafkaNotReachable(str(fault)) from fault
    check_topics(differences)
    return [str(difference) for difference in differences]


def check_topics(differences: Iterable[Difference]) -> None:
    """See that Kirby can work with the topics that are there.

    Raises:
        TopicsDiffer: naming each that hinders, what it has, and what Kirby needs.
    """
    hindering = [str(difference) for difference in differences if difference.hinders]
    if hindering:
        raise TopicsDiffer(
            f"{'; '.join(hindering)}: delete what is no cluster's in use, alter what can be "
            "altered, or give this cluster other topics with kafka.topic_prefix"
        )


def cluster_of(configuration: HostConfiguration) -> str:
    """Return the id of the Kafka cluster that a host uses; leaves no thread behind, either.

    Raises:
        KafkaNotReachable: it does not answer in time.
    """
    return cluster_id(settings_of(configuration))


def end_services(services: Services, *, with_scripts: bool) -> Iterator[str]:
    """End what is of no more use; yield what stays, and why, each with its pid."""
    try:
        scripts = [] if with_scripts else services.shim.scripts()
        if with_scripts:
            services.shim.end_scripts()
        elif not scripts:
            services.shim.end()
        why = "for it" if scripts else ""
    except KirbyError as fault:  # it may hold scripts that nobody can see now
        scripts, why = [], f"because {fault}"
    for run, script_pid in scripts:
        yield f"{run} goes on (pid {script_pid})"
    for service in reversed(list(services)):
        if not why:
            service.end()
        elif pid := service.running():
            yield f"the {service.name} stays {why} (pid {pid})"


def check_port(configuration: HostConfiguration) -> None:
    """See that this host can listen where it should.

    Raises:
        PortInUse: it cannot.
    """
    address, port = configuration.address, configuration.port
    if not is_port_free(address, port):
        raise PortInUse(
            f"port {port} of {address} is taken, or not this machine's: "
            "choose another with --port or --address"
        )

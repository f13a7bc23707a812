"""Before a host joins others: the roll-call is asked who is here, and the cores whether it fits.

Asked by the start process, which has nothing started yet. What is refused here is refused in one
sentence, with an exit code of its own, and has changed nothing.
"""

import contextlib
import socket
from collections.abc import Callable
from dataclasses import replace

from kirby import __version__
from kirby.actors.correspondence import Correspondent, NotUnderstood, persistently
from kirby.actors.meeting_place import PlaceAsked
from kirby.actors.starting import check_kafka, check_port, cluster_of
from kirby.core import joining
from kirby.core.configuration import HostConfiguration
from kirby.core.configuration_fields import Endpoint
from kirby.core.errors import ConventionUnreachable, KeyDiffers, KeyMissing
from kirby.core.names import StateFolderId
from kirby.core.roll_call import Introduction, PlaceIs, RollAsked, RollIs
from kirby.host import locks
from kirby.host.key_changes import told_url
from kirby.host.key_fetch import catch_up
from kirby.host.keys import ClusterKeys, load_keys
from kirby.host.state import StateFolder
from kirby.host.token_file import TokenFile, write_token_file

ANSWER_WITHIN_S = 8.0  # a convention leader that was started a moment ago boots in two
_NO_ID = StateFolderId("")

Say = Callable[[str], None]


def joined(configuration: HostConfiguration, folder: StateFolder, say: Say) -> HostConfiguration:
    """Return the configuration with all that this host shares with those that it joins.

    One that joins nobody is returned as it is.

    Raises:
        StartRefused: one of its kinds, each with an exit code of its own.
    """
    joining.check_address(configuration)
    configuration = _resolved(configuration)
    if not joining.joins_another(configuration) or locks.is_taken(folder.lock):
        return configuration  # a state folder in use is refused in a moment, with who uses it
    key = _key_of(configuration, folder)
    check_port(configuration)
    try:
        present = _present(configuration, key)
    except ConventionUnreachable as fault:
        if not (configuration.kafka and configuration.web_urls):
            raise
        say(f"{fault}; until then this host goes on with those that it meets by themselves")
        return configuration
    return _fitting(configuration, folder, key, present)


def learn_key_changes(configuration: HostConfiguration, folder: StateFolder) -> None:
    """Catch up with what was announced while this host was down, where a web service tells it.

    Raises:
        KeyOutdated: it was down for longer than the grace period of a change.
    """
    if folder.key.exists() and not locks.is_taken(folder.lock):
        known = told_url(folder)
        catch_up(folder, configuration.web_urls or ((known,) if known else ()))


def _fitting(
    configuration: HostConfiguration,
    folder: StateFolder,
    key: ClusterKeys,
    present: tuple[Introduction, ...],
) -> HostConfiguration:
    joining.check_version(__version__, present)
    joining.check_name(configuration, _id_of(folder), present)
    if configuration.kafka:
        check_kafka(configuration)
        joining.check_kafka(configuration, cluster_of(configuration), present)
    shared = joining.sharing(configuration, present)
    _leave_a_token(shared, folder, key)
    return shared


def _resolved(configuration: HostConfiguration) -> HostConfiguration:
    """Give the convention leader by digits, as addresses of actors are."""
    leader = configuration.convention_leader
    if leader is None:
        return configuration
    try:
        host = socket.gethostbyname(leader.host)
    except OSError as fault:
        raise ConventionUnreachable(
            f'the convention leader\'s host "{leader.host}" is unknown ({fault}): '
            "give its address with --convention-leader"
        ) from None
    return replace(configuration, convention_leader=Endpoint(host=host, port=leader.port))


def _key_of(configuration: HostConfiguration, folder: StateFolder) -> ClusterKeys:
    if not folder.key.exists():
        raise KeyMissing(
            f"{folder.path} has no key of the cluster at {configuration.convention_leader}: "
            "run 'kirby key show' on a host there, and give what it prints to "
            f"'kirby key take --state {folder.path}' here"
        )
    return load_keys(folder)


def _present(configuration: HostConfiguration, key: ClusterKeys) -> tuple[Introduction, ...]:
    leader = configuration.convention_leader
    assert leader is not None
    place = (leader.host, leader.port)
    with Correspondent(key.frame_keys, configuration.address) as correspondent:

        def ask(until: float) -> tuple[Introduction, ...] | None:
            where = correspondent.ask(place, PlaceAsked(), PlaceIs, until)
            if where.supervisor is None:
                return None
            supervisor = where.supervisor.addressDetails.sockname
            asked = RollAsked(answer_to=correspondent.address)
            return correspondent.ask(supervisor, asked, RollIs, until).present or None

        with contextlib.suppress(NotUnderstood):
            return _asked(leader, ask)
    raise KeyDiffers(
        f"the host at {leader} does not take this host's key: run 'kirby key show' on a host "
        f"there, and give what it prints to 'kirby key take --replace --state "
        f"{configuration.state}' here; and see that the clocks are less than a minute apart"
    )


def _asked(
    leader: Endpoint, ask: Callable[[float], tuple[Introduction, ...] | None]
) -> tuple[Introduction, ...]:
    why = "it tells of no host yet"
    try:
        present = persistently(ask, ANSWER_WITHIN_S)
    except NotUnderstood:
        raise
    except OSError as fault:
        present, why = None, str(fault) or type(fault).__name__
    if not present:
        raise ConventionUnreachable(
            f"no host of Kirby answers at {leader} within {ANSWER_WITHIN_S:g} s ({why}): "
            "start it first, or name another with --convention-leader"
        )
    return present


def _id_of(folder: StateFolder) -> StateFolderId:
    return StateFolderId(folder.id_file.read_text().strip()) if folder.id_file.exists() else _NO_ID


def _leave_a_token(configuration: HostConfiguration, folder: StateFolder, key: ClusterKeys) -> None:
    """Let the command line on this host ask the web service that it shares."""
    folder.prepare()
    told = TokenFile(url=",".join(configuration.web_urls), token=key.host_token())
    write_token_file(folder, told)

"""Every error that Kirby raises on purpose, in one tree and one file, however long that gets.

The message of each is one sentence for the person who can act on it: what is wrong, where, and
what to do. A new error is a class here, under the branch whose reader it has::

    KirbyError
    ├── UserError                a person can mend it
    │   ├── InvalidInput         what was typed or written; carries all faults at once
    │   │   ├── InvalidName, InvalidCron, InvalidZone, InvalidRequirement, InvalidVariable, ...
    │   │   ├── InvalidConfiguration
    │   │   └── InvalidDocument
    │   ├── NotFound, Conflict, NotPermitted
    │   └── StartRefused         the start of a host; each with an exit code of its own
    ├── InstallationError        a package or its environment
    │   └── PackageNotFound, NoMainModule, IndexUnreachable, BuildFailed, ...
    ├── KafkaError               the log: unreachable, fenced, unreadable
    ├── ShimError                the process that holds the scripts
    │   └── ShimUnreachable, ShimRefused
    ├── Damaged                  a run folder that cannot be read
    ├── DatabaseError
    └── Bug                      a broken assumption of ours, never a fault of the user
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum


class ExitCode(IntEnum):
    """What the process says when it ends; each has one meaning."""

    OK = 0
    FAILED = (
        1  # the thing was done and went wrong: a run that failed, a command refused by the service
    )
    USAGE = 2  # what was typed or written is wrong; nothing was changed
    NOT_FOUND = 3
    NOT_PERMITTED = 4
    CONFLICT = 5
    UNREACHABLE = 6  # the web service does not answer
    STATE_IN_USE = 10
    PORT_IN_USE = 11
    KAFKA_UNREACHABLE = 12
    INSECURE = 13  # without a key, or listening where it must not
    DATABASE_NEWER = 14
    EMBEDDED_KAFKA_FAILED = 15
    TOPICS_DIFFER = 16
    CONVENTION_UNREACHABLE = 20  # of a host that joins others: none answers; and seven refusals
    JOIN_FROM_LOOPBACK = 21
    KEY_MISSING = 22
    KEY_DIFFERS = 23
    NAME_IN_USE = 24
    OTHER_KAFKA = 25
    EMBEDDED_KAFKA_ALONE = 26
    VERSION_DIFFERS = 27
    KEY_OUTDATED = 28  # of a host that was away while the cluster's key was changed
    KAFKA_PERMISSIONS = 29  # its user may not do in Kafka what a part has to
    BUG = 70  # EX_SOFTWARE of sysexits.h
    INTERRUPTED = 130


class KirbyError(Exception):
    """Anything that Kirby raises on purpose."""

    exit_code: ExitCode = ExitCode.FAILED


class UserError(KirbyError):
    """Something a person can mend."""

    exit_code = ExitCode.USAGE


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing that is wrong with an input: where (a dotted path), and a sentence."""

    field: str
    sentence: str

    def __str__(self) -> str:
        return f"{self.field}: {self.sentence}" if self.field else self.sentence


class InvalidInput(UserError):
    """One or more faults of what was typed or written; all are reported together."""

    def __init__(self, faults: Sequence[Fault] | str, *, field: str = "") -> None:
        if isinstance(faults, str):
            faults = (Fault(field=field, sentence=faults),)
        self.faults: tuple[Fault, ...] = tuple(faults)
        super().__init__("\n".join(str(fault) for fault in self.faults))


class InvalidName(InvalidInput):
    """A job, environment or host name that does not match the rule for names."""


class InvalidCron(InvalidInput):
    """A cron expression that cannot be read."""


class InvalidZone(InvalidInput):
    """A time zone that the IANA database does not have."""


class InvalidRequirement(InvalidInput):
    """A package name (PEP 508) or version (PEP 440) that cannot be used, or is not exact."""


class InvalidVariable(InvalidInput):
    """The name or value of a variable."""


class InvalidConfiguration(InvalidInput):
    """Flags, environment and file of a host, taken together."""


class InvalidDocument(InvalidInput):
    """The document given to `kirby apply`."""


class NotFound(UserError):
    """There is no such thing."""

    exit_code = ExitCode.NOT_FOUND


class Conflict(UserError):
    """It cannot be done in the present state."""

    exit_code = ExitCode.CONFLICT


class NotPermitted(UserError):
    """No token, an unknown one, or one that may not do this."""

    exit_code = ExitCode.NOT_PERMITTED


class TooLong(UserError):
    """More was sent than the web service takes at a time."""


class ServiceUnreachable(UserError):
    """The web service does not answer."""

    exit_code = ExitCode.UNREACHABLE


class ServiceFailed(KirbyError):
    """The web service answered with a fault of its own."""


class StartRefused(UserError):
    """A host that may not start as asked."""


class StateInUse(StartRefused):
    """Another Kirby uses the state folder."""

    exit_code = ExitCode.STATE_IN_USE


class PortInUse(StartRefused):
    """Something else listens on the port."""

    exit_code = ExitCode.PORT_IN_USE


class KafkaNotReachable(StartRefused):
    """No broker answers at the address that was given."""

    exit_code = ExitCode.KAFKA_UNREACHABLE


class EmbeddedKafkaFailed(StartRefused):
    """The embedded broker could not be fetched or started."""

    exit_code = ExitCode.EMBEDDED_KAFKA_FAILED


class PermissionsLacking(StartRefused):
    """Kafka lets its user in, and does not allow all that a part of Kirby needs."""

    exit_code = ExitCode.KAFKA_PERMISSIONS


class KafkaPortTaken(EmbeddedKafkaFailed):
    """Somebody took a port that the embedded broker keeps, where all its clients look for it."""


class TopicsDiffer(StartRefused):
    """A topic that is there is kept in a way in which Kirby would go wrong."""

    exit_code = ExitCode.TOPICS_DIFFER


class Insecure(StartRefused):
    """A host without a key, or one that would listen where it must not."""

    exit_code = ExitCode.INSECURE


class ConventionUnreachable(StartRefused):
    """Nobody answers where a host is to join others."""

    exit_code = ExitCode.CONVENTION_UNREACHABLE


class JoinFromLoopback(StartRefused):
    """A host on loopback is to join another machine, which could not answer it."""

    exit_code = ExitCode.JOIN_FROM_LOOPBACK


class KeyMissing(StartRefused):
    """A host without the cluster's key is to join others."""

    exit_code = ExitCode.KEY_MISSING


class KeyDiffers(StartRefused):
    """A host with another key is to join others."""

    exit_code = ExitCode.KEY_DIFFERS


class NameInUse(StartRefused):
    """Another host of the cluster has the name."""

    exit_code = ExitCode.NAME_IN_USE


class OtherKafka(StartRefused):
    """The hosts that are there use another Kafka."""

    exit_code = ExitCode.OTHER_KAFKA


class EmbeddedKafkaAlone(StartRefused):
    """The hosts that are there use a Kafka that this host cannot reach."""

    exit_code = ExitCode.EMBEDDED_KAFKA_ALONE


class VersionDiffers(StartRefused):
    """The hosts that are there run a Kirby with which this one does not work together."""

    exit_code = ExitCode.VERSION_DIFFERS


class KeyOutdated(StartRefused):
    """The cluster's key was changed, and this host's was taken for the grace period only."""

    exit_code = ExitCode.KEY_OUTDATED


class InstallationError(KirbyError):
    """A package or its environment cannot be made; the sentence becomes a run's reason.

    `temporary` says whether a later try may go well though nobody changed the definition.
    """

    temporary: bool = False


class PackageNotFound(InstallationError):
    """The package index has no such package or version; it may be published any moment."""

    temporary = True

    def __init__(self, package: str, *, near: str = "", versions: Sequence[str] = ()) -> None:
        if versions:
            fault = f"no such version in the index; it has {', '.join(versions)}"
        else:
            fault = "no such package in the index" + (f"; did you mean {near}?" if near else "")
        super().__init__(f'package "{package}": {fault}')


class DependenciesUnmet(InstallationError):
    """What the package requires is not in the index, contradicts itself, or fits no host."""

    temporary = True  # as with a missing package: someone may publish what it lacks

    def __init__(self, package: str, cause: str) -> None:
        super().__init__(f'package "{package}": its requirements cannot be met: {cause}')


class NoMainModule(InstallationError):
    """The package has nothing that `python -m` could run."""

    def __init__(self, package: str, fault: str) -> None:
        super().__init__(f'package "{package}": {fault}')


class IndexUnreachable(InstallationError):
    """A package index does not answer."""

    temporary = True

    def __init__(self, package: str, address: str) -> None:
        where = f" at {address}" if address else ""
        super().__init__(
            f'package "{package}": the package index{where} does not answer; '
            "it is tried again by itself"
        )


class IndexRefused(InstallationError):
    """A package index does not let this host read."""

    temporary = True

    def __init__(self, package: str, address: str) -> None:
        where = f" at {address}" if address else ""
        super().__init__(
            f'package "{package}": the package index{where} refuses this host: '
            "check its key, or the name and password of the index"
        )


class SourceBuildsNotAllowed(InstallationError):
    """There is no wheel, and the context does not allow a build from source."""

    def __init__(self, package: str, without_wheel: str) -> None:
        what = "it has no wheel" if without_wheel == package else f"{without_wheel} has no wheel"
        super().__init__(
            f'package "{package}": {what} for this host; publish one, '
            "or allow the context to build from source (source_builds = true)"
        )


class RequiresPython(InstallationError):
    """The package, or one that it requires, is for another Python than this host's."""

    def __init__(self, package: str, *, wants: str, has: str) -> None:
        super().__init__(
            f'package "{package}": it requires Python {wants}, and this host has {has}; '
            "choose another version of the package, or run Kirby with that Python"
        )


class NoDiskSpace(InstallationError):
    """The disk of environments or of the installer's cache is full."""

    temporary = True

    def __init__(self, package: str, folder: str) -> None:
        super().__init__(f'package "{package}": no space is left for its environment in {folder}')


class BuildInterrupted(InstallationError):
    """The build was killed, or did not end in time."""

    temporary = True

    def __init__(self, package: str, fault: str) -> None:
        super().__init__(f'package "{package}": the build of its environment {fault}')


class OwnWheelFailed(InstallationError):
    """The checkout that Kirby runs from cannot be built; whoever edits it may be about to mend it.

    Scripts get Kirby from a wheel of it.
    """

    temporary = True

    def __init__(self, last_words: str) -> None:
        super().__init__(f"this checkout of Kirby cannot be built as a wheel: {last_words}")


class BuildFailed(InstallationError):
    """The installer failed for a reason of its own; its last words are in the sentence."""

    def __init__(self, package: str, last_words: str) -> None:
        super().__init__(f'package "{package}": it cannot be installed: {last_words}')


class KafkaError(KirbyError):
    """The log cannot be read or written."""


class Unreadable(KafkaError):
    """A record that does not have the shape of its topic; it goes to the dead-letter topic."""


class Fenced(KafkaError):
    """A later leader has begun: stand down at once."""


class OutcomeUnknown(KafkaError):
    """A transaction of which nobody can say whether it was committed: throw the producer away."""


class KafkaUnknown(UserError):
    """A script opened a topic, and nothing says where Kafka is."""


class DeliveryFailed(KafkaError):
    """What a script sent did not reach Kafka."""


class ReadingFailed(KafkaError):
    """A script cannot read its topic: not admitted to its group, not permitted, or gone."""


class UnreadableValue(KafkaError):
    """A record of a script's topic is not JSON, or not of the kind that the script asked for."""


class ShimError(KirbyError):
    """The shim does not answer, or refuses."""


class ShimUnreachable(ShimError):
    """The shim does not answer; what was asked may have been done, so it is asked again."""


class ShimRefused(ShimError):
    """The shim does not do what was asked; nothing was changed."""


class Damaged(KirbyError):
    """A run folder that cannot be read; it is set aside, and the sentence becomes a reason."""


class DatabaseError(KirbyError):
    """The database cannot be opened or upgraded."""

    exit_code = ExitCode.FAILED


class DatabaseNewer(DatabaseError):
    """The database was made by a later Kirby."""

    exit_code = ExitCode.DATABASE_NEWER


class Bug(KirbyError):
    """A broken assumption of Kirby's own."""

    exit_code = ExitCode.BUG

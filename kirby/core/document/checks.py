"""What is wrong with a document in view of what is stored, and of what the package index has."""

from collections.abc import Callable, Iterator

from kirby.core.document.definitions import Definitions, SecretState, SetVariable
from kirby.core.document.table import near
from kirby.core.errors import Fault, InvalidDocument
from kirby.core.nouns import JobKind

Lacks = Callable[[str], str | None]
"""Given `name==version`: a sentence if the index surely lacks it, else None."""


def check_document(stored: Definitions, wanted: Definitions, lacks: Lacks) -> None:
    """Refuse a document that cannot be applied.

    Raises:
        InvalidDocument: with every fault.
    """
    faults = [
        *_suspensions(stored, wanted),
        *_topics(stored, wanted),
        *_prefixes(stored, wanted),
        *_secrets(stored, wanted),
        *_packages(wanted, lacks),
    ]
    if faults:
        raise InvalidDocument(faults)


def _suspensions(stored: Definitions, wanted: Definitions) -> Iterator[Fault]:
    known = stored.contexts().keys() | wanted.contexts().keys()
    jobs = {**stored.jobs, **wanted.jobs}
    for each in wanted.suspensions:
        job = jobs.get(each.context.partition("/")[0])
        if job is not None and job.kind is JobKind.DAEMON:
            yield Fault(
                field=f"{each.path}.context",
                sentence=f"{each.context} is a daemon, it does not fire: "
                "write enabled = false in its context instead",
            )
        if each.context not in known:
            yield Fault(
                field=f"{each.path}.context",
                sentence=f'context "{each.context}" is unknown{near(each.context, known)}',
            )


def _topics(stored: Definitions, wanted: Definitions) -> Iterator[Fault]:
    for name, topic in wanted.topics.items():
        before = stored.topics.get(name)
        if before is not None and before.partitions != topic.partitions:
            yield Fault(
                field=f"{topic.path}.partitions",
                sentence=f"topic {name} has {before.partitions} partitions, and records stay where "
                "their keys put them: make a new topic for another number",
            )


def _prefixes(stored: Definitions, wanted: Definitions) -> Iterator[Fault]:
    taken: dict[str, str] = {}
    for name, each in {**stored.environments, **wanted.environments}.items():
        other = taken.setdefault(each.prefix, name)
        if other != name:
            yield Fault(
                field=f"{each.path or f'environment.{name}'}.prefix",
                sentence=f'environments {other} and {name} would share the prefix "{each.prefix}"',
            )


def _secrets(stored: Definitions, wanted: Definitions) -> Iterator[Fault]:
    there = {_place(where, each) for where, each in _variables(stored) if _is_secret(each)}
    for where, each in _variables(wanted):
        if each.secret is SecretState.KEPT and _place(where, each) not in there:
            yield Fault(
                field=each.path,
                sentence=f"secret {each.name} is to be kept, and none is stored: "
                f'write {{ from = "{each.name}" }}',
            )


def _variables(definitions: Definitions) -> Iterator[tuple[str, SetVariable]]:
    yield from (("", each) for each in definitions.variables.values())
    for name, job in definitions.jobs.items():
        yield from ((name, each) for each in job.variables.values())
    for key, context in definitions.contexts().items():
        yield from ((key, each) for each in context.variables.values())


def _is_secret(variable: SetVariable) -> bool:
    return variable.secret is not SecretState.PLAIN


def _place(where: str, variable: SetVariable) -> tuple[str, str]:
    return where, variable.name


def _packages(wanted: Definitions, lacks: Lacks) -> Iterator[Fault]:
    named = [(job.path, job.package) for job in wanted.jobs.values()]
    named += [(each.path, each.package) for each in wanted.contexts().values()]
    for path, package in named:
        sentence = lacks(package) if package is not None else None
        if sentence is not None:
            yield Fault(field=f"{path}.package", sentence=sentence)

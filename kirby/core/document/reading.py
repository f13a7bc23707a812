"""What a document says: read all of it, and tell all that is wrong with it at once.

The document is plain data, as TOML or JSON give it. Every fault has the dotted path of its key,
so that whoever has the file can name line and column. Nothing here knows what is stored; what
depends on that is checked in `kirby.core.document.difference`.
"""

from collections.abc import Mapping
from typing import Any

from kirby.core.document.contexts import CONTEXT_KEYS, read_context
from kirby.core.document.definitions import (
    Definitions,
    Path,
    SetEnvironment,
    SetJob,
    SetSuspension,
    SetTopic,
)
from kirby.core.document.table import Table, Unfit, near
from kirby.core.document.values import check_topic, instant, one_of, prefix, text, whole
from kirby.core.document.variables import read_variables
from kirby.core.errors import Fault, InvalidDocument, InvalidName
from kirby.core.names import ContextKey, check_name, context_key
from kirby.core.nouns import JobKind
from kirby.core.requirement import parse_requirement

JOB_KEYS = ("about", "package", "kind", "set", "secret")
TOP_KEYS = ("environment", "job", "secret", "set", "suspension", "topic")
DEFAULT_PARTITIONS = 6
PARTITIONS_LIMIT = 1000


def read_document(data: Mapping[str, Any], environments: set[str]) -> Definitions:
    """Read a document.

    Args:
        data: tables, lists, texts, numbers, booleans; instants as text or as datetimes.
        environments: the names of those that are stored already.

    Raises:
        InvalidDocument: with every fault.
    """
    faults: list[Fault] = []
    top = Table(path="", data=data, faults=faults)
    declared = _environments(top.table("environment"))
    known = environments | declared.keys()
    definitions = Definitions(
        environments=declared,
        variables=read_variables(top),
        jobs=_jobs(top.table("job"), known),
        suspensions=tuple(_suspensions(top)),
        topics=_topics(top.table("topic")),
    )
    top.refuse_rest(TOP_KEYS)
    if faults:
        raise InvalidDocument(faults)
    return definitions


def _environments(table: Table) -> dict[str, SetEnvironment]:
    found = {}
    for name in table.data:
        each = table.table(name)
        if not _is_name(table, "environment", name):
            continue
        if name in JOB_KEYS:
            table.blame(name, f'environment "{name}": this is a key of jobs, use another name')
        found[name] = SetEnvironment(
            name=name,
            prefix=each.read("prefix", prefix, "" if name == "prod" else f"{name}."),
            about=each.read("about", text, ""),
            path=Path(each.path),
        )
        each.refuse_rest(("prefix", "about"))
    return found


def _jobs(table: Table, environments: set[str]) -> dict[str, SetJob]:
    names = [name for name in table.data if _is_name(table, "job", name)]
    return {name: _job(name, table.table(name), environments) for name in names}


def _job(name: str, table: Table, environments: set[str]) -> SetJob:
    kind = table.read("kind", one_of(JobKind), JobKind.SCHEDULED)
    package = table.read("package", _requirement, None)
    job = SetJob(
        name=name,
        kind=kind,
        about=table.read("about", text, ""),
        package=package,
        variables=read_variables(table),
        path=Path(table.path),
    )
    contexts = {}
    for environment in table.rest():
        if not _is_environment(table, environment, environments):
            continue
        key = context_key(name, environment)
        inherits = package is not None or "package" in table.data
        contexts[key] = read_context(key, table.table(environment), kind, inherits)
    return SetJob(**{**vars(job), "contexts": contexts})


def _is_environment(table: Table, key: str, environments: set[str]) -> bool:
    """Tell a context from a misspelt key, and blame the latter."""
    if not isinstance(table.data[key], Mapping):
        keys = {*JOB_KEYS, *CONTEXT_KEYS}
        hint = near(key, JOB_KEYS)
        if key in keys:
            hint = f": it belongs into an environment of the job, as in prod.{key}"
        table.blame(key, f'key "{key}" is unknown{hint}')
        return False
    if key not in environments:
        table.blame(key, f'environment "{key}" is unknown{near(key, environments)} (or declare it)')
        return False
    return True


def _requirement(value: Any) -> str:
    return str(parse_requirement(text(value)))


def _suspensions(top: Table) -> list[SetSuspension]:
    found = []
    for table in top.tables("suspension"):
        given = len(table.faults)
        context = table.read("context", text, "")
        start = table.read("from", instant, None)
        end = table.read("to", instant, None)
        reason = table.read("reason", text, "")
        table.refuse_rest(("context", "from", "to", "reason"))
        for key in ("context", "from", "to"):
            if not table.has(key):
                table.blame(key, f'a suspension needs "{key}"')
        if start is not None and end is not None and end <= start:
            table.blame("to", "a suspension ends after it starts: swap the two")
        if len(table.faults) == given and start is not None and end is not None:
            found.append(
                SetSuspension(
                    context=ContextKey(context),
                    start=start,
                    end=end,
                    reason=reason,
                    path=Path(table.path),
                )
            )
    return found


def _topics(table: Table) -> dict[str, SetTopic]:
    found = {}
    for name in table.data:
        each = table.table(name)
        try:
            check_topic(name)
        except Unfit as unfit:
            table.blame(name, f'topic "{name}"{unfit}')
        found[name] = SetTopic(
            name=name,
            partitions=each.read("partitions", whole(1, PARTITIONS_LIMIT), DEFAULT_PARTITIONS),
            path=Path(each.path),
        )
        each.refuse_rest(("partitions",))
    return found


def _is_name(table: Table, kind: str, name: str) -> bool:
    try:
        check_name(kind, name)
    except InvalidName as invalid:
        table.blame(name, invalid.faults[0].sentence)
        return False
    return True

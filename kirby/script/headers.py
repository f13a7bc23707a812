"""The headers of what a script sends: which run wrote it, and what it was made from."""

from collections.abc import Iterable, Mapping

from kirby.core.errors import InvalidInput
from kirby.script.record import Placed, origin_of
from kirby.script.surroundings import Surroundings

RUN = "kirby-run"
ATTEMPT = "kirby-attempt"
SCRIPT = "kirby-script"  # package==version
FROM = "kirby-from"
FENCING_TOKEN = "kirby-fencing-token"
RESERVED = "kirby-"


def of_run(surroundings: Surroundings) -> tuple[tuple[str, bytes], ...]:
    """Return the headers that are the same for all records of an attempt."""
    facts = {
        RUN: surroundings.run,
        ATTEMPT: "" if surroundings.attempt is None else str(surroundings.attempt),
        SCRIPT: surroundings.package,
        FENCING_TOKEN: ""
        if surroundings.fencing_token is None
        else str(surroundings.fencing_token),
    }
    return tuple((name, value.encode()) for name, value in facts.items() if value)


def of_record(
    of_run: tuple[tuple[str, bytes], ...],
    made_from: Iterable[Placed],
    given: Mapping[str, str],
) -> list[tuple[str, bytes]]:
    """Return all headers of one record.

    Raises:
        InvalidInput: a header of the script's own has a name that is Kirby's.
    """
    for name in given:
        if name.lower().startswith(RESERVED):
            raise InvalidInput(
                f'header "{name}": names that begin with "{RESERVED}" are Kirby\'s own: '
                "choose another",
                field="headers",
            )
    origin = origin_of(made_from)
    of_origin = [(FROM, origin.encode())] if origin else []
    return [*of_run, *of_origin, *((name, value.encode()) for name, value in given.items())]


def as_texts(headers: Iterable[tuple[str, bytes | None]]) -> dict[str, str]:
    """Return the headers of a record that was read; of several with one name the last."""
    return {name: (value or b"").decode(errors="replace") for name, value in headers}

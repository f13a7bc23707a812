"""What Kirby puts into the environment of a script, read once and typed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from kirby.core.errors import InvalidVariable


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """Which run this is, and where its topics and its web service are.

    Run by hand, outside Kirby, a script finds nothing of it: the texts are then empty and the
    numbers `None`.
    """

    run: str = ""  # run id, or instance id of a daemon
    attempt: int | None = None
    scheduled_at: datetime | None = None
    fencing_token: int | None = None
    job: str = ""
    environment: str = ""
    host: str = ""
    package: str = ""  # name==version
    kafka: Mapping[str, str] = field(default_factory=dict)  # settings of the Kafka client
    topic_prefix: str = ""
    group: str = ""
    url: str = ""
    token: str = field(default="", repr=False)


def surroundings_of(environ: Mapping[str, str]) -> Surroundings:
    """Read the variables that begin with `KIRBY_`.

    Raises:
        InvalidVariable: one does not hold what Kirby puts there.
    """
    return Surroundings(
        run=environ.get("KIRBY_RUN_ID", ""),
        attempt=_number(environ, "KIRBY_ATTEMPT"),
        scheduled_at=_instant(environ, "KIRBY_SCHEDULED_AT"),
        fencing_token=_number(environ, "KIRBY_FENCING_TOKEN"),
        job=environ.get("KIRBY_JOB", ""),
        environment=environ.get("KIRBY_ENVIRONMENT", ""),
        host=environ.get("KIRBY_HOST", ""),
        package=environ.get("KIRBY_PACKAGE", ""),
        kafka=_settings(environ, "KIRBY_KAFKA"),
        topic_prefix=environ.get("KIRBY_TOPIC_PREFIX", ""),
        group=environ.get("KIRBY_GROUP", ""),
        url=environ.get("KIRBY_URL", "").rstrip("/"),
        token=environ.get("KIRBY_TOKEN", ""),
    )


def _number(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name, "")
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise InvalidVariable(f'"{text}" is not a whole number', field=name) from None


def _instant(environ: Mapping[str, str], name: str) -> datetime | None:
    text = environ.get(name, "")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidVariable(f'"{text}" is not an instant of RFC 3339', field=name) from None


def _settings(environ: Mapping[str, str], name: str) -> Mapping[str, str]:
    text = environ.get(name, "")
    if not text:
        return {}
    try:
        settings = json.loads(text)
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise InvalidVariable(
            'expected the settings of a Kafka client as JSON, like {"bootstrap.servers": "…"}',
            field=name,
        )
    return {str(key): str(value) for key, value in settings.items()}

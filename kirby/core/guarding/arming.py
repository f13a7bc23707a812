"""What a script finds in its environment, and what the run folder keeps of it.

The values of secrets come in opened, and leave only in the script's own environment; what is kept
has them sealed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from kirby.core.durations import write_duration, write_size
from kirby.core.guarding.fitting import fitting_of
from kirby.core.names import Host, split_context
from kirby.core.nouns import RunPlan
from kirby.core.records import DaemonOffer, Offer
from kirby.core.shipping.run_folder import Meta

# Of the environment of this host: what programs need to find their way. Nothing else is passed on.
PASSED_ON = (
    *("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LC_ALL", "TZ", "TMPDIR"),
    *("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE"),
)
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
INSTANT = "%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True, kw_only=True)
class House:
    """What all scripts of a host have in common."""

    host: Host
    kafka: str  # client settings as JSON
    url: str  # of the web service
    inherited: Mapping[str, str]  # the environment of this process


@dataclass(frozen=True, kw_only=True)
class Personal:
    """What one attempt has for itself."""

    run: str  # run id, or instance id of a daemon
    token: str  # for the web service, good for this run only
    bin: str  # folder of the programs of its virtual environment
    values: Mapping[str, str]  # its variables, secrets opened


def environment_of_run(house: House, own: Personal, offer: Offer) -> dict[str, str]:
    """Return the environment of a scheduled attempt."""
    scheduled = {
        "KIRBY_ATTEMPT": str(offer.attempt),
        "KIRBY_SCHEDULED_AT": offer.due.strftime(INSTANT),
        "KIRBY_FENCING_TOKEN": str(offer.token),
    }
    return _environment(house, own, offer.plan) | scheduled


def environment_of_daemon(house: House, own: Personal, offer: DaemonOffer) -> dict[str, str]:
    """Return the environment of a daemon's instance; the shim adds the number of its attempt."""
    return _environment(house, own, offer.plan)


def _environment(house: House, own: Personal, plan: RunPlan) -> dict[str, str]:
    job, environment = split_context(plan.context)
    inherited = {name: house.inherited[name] for name in PASSED_ON if name in house.inherited}
    return {
        "LANG": "C.UTF-8",
        # A line is seen when it is printed, not when a buffer is full.
        "PYTHONUNBUFFERED": "1",
        **inherited,
        "PATH": f"{own.bin}:{house.inherited.get('PATH', SYSTEM_PATH)}",
        "VIRTUAL_ENV": own.bin.rpartition("/")[0],
        **own.values,
        "KIRBY_RUN_ID": own.run,
        "KIRBY_JOB": job,
        "KIRBY_ENVIRONMENT": environment,
        "KIRBY_HOST": house.host,
        "KIRBY_PACKAGE": plan.package,
        "KIRBY_KAFKA": house.kafka,
        "KIRBY_TOPIC_PREFIX": plan.topic_prefix,
        "KIRBY_GROUP": plan.group,
        "KIRBY_URL": house.url,
        "KIRBY_TOKEN": own.token,
    }


def meta_of_run(offer: Offer, *, clock_offset_seconds: float, claimed_at: datetime) -> Meta:
    """Return what the run folder keeps of a scheduled attempt."""
    meta = _meta(offer.plan)
    return msgspec.structs.replace(
        meta, clock_offset_seconds=clock_offset_seconds, claimed_at=claimed_at
    )


def meta_of_daemon(offer: DaemonOffer) -> Meta:
    """Return what the run folder keeps of a daemon's instance, so that it can be adopted."""
    fitting = fitting_of(offer)
    return msgspec.structs.replace(
        _meta(offer.plan), generation=fitting.generation, surroundings=fitting.surroundings
    )


def _meta(plan: RunPlan) -> Meta:
    return Meta(
        package=plan.package,
        sealed=tuple(variable for variable in plan.variables if variable.sealed),
        time_limit=write_duration(plan.time_limit) if plan.time_limit else "",
        memory_limit=write_size(plan.memory_limit) if plan.memory_limit else "",
        memory_bytes=plan.memory_limit or 0,
    )

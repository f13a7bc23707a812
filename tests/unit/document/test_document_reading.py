import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from kirby.core.document.definitions import Definitions, SecretState
from kirby.core.document.reading import read_document
from kirby.core.errors import InvalidDocument
from kirby.core.names import ContextKey
from kirby.core.nouns import CatchUp, CronLine, JobKind, Overlap, Policies

PUMP = ContextKey("pump/prod")
KNOWN = {"prod", "dev", "test"}


def read(text: str) -> Definitions:
    return read_document(tomllib.loads(text), KNOWN)


def faults(text: str) -> dict[str, str]:
    with pytest.raises(InvalidDocument) as caught:
        read(text)
    return {fault.field: fault.sentence for fault in caught.value.faults}


def a_context(lines: str) -> str:
    return f'[job.pump]\npackage = "pump==1.0"\n[job.pump.prod]\n{lines}\n'


def test_a_document_of_every_key_is_read() -> None:
    document = read("""
        [environment.staging]
        prefix = "st."
        [set]
        SITE = "north"
        [topic.pressure]
        partitions = 3
        [job.pump]
        about = "Reads the pump"
        package = "Pump_Sensor==1.4"
        set.RATE = 5
        [job.pump.prod]
        schedule = ["*/10 * * * *", { cron = "5 4 * * *", zone = "Europe/Brussels" }]
        attempts = 3
        back_off = "5 s"
        overlap = "forbid"
        catch_up = "all"
        start_window = "2 min"
        time_limit = "1 h"
        memory_limit = "256 MB"
        set.RATE = 7
        [job.pump.staging]
        package = "pump-sensor==1.5rc1"
        [job.tap]
        kind = "daemon"
        package = "tap==2"
        prod.hosts = ["beta", "alpha"]
        [[suspension]]
        context = "pump/prod"
        from = 2026-12-24T18:00:00+01:00
        to = 2026-12-27T06:00:00+01:00
        reason = "closed"
    """)

    pump = document.jobs["pump"].contexts[PUMP]
    assert pump.schedules == (
        CronLine(cron="*/10 * * * *"),
        CronLine(cron="5 4 * * *", zone="Europe/Brussels"),
    )
    assert pump.policies == Policies(
        attempts=3,
        back_off=timedelta(seconds=5),
        overlap=Overlap.FORBID,
        catch_up=CatchUp.ALL,
        start_window=timedelta(minutes=2),
        time_limit=timedelta(hours=1),
        memory_limit=256_000_000,
    )
    assert document.jobs["pump"].package == "pump-sensor==1.4"
    assert document.jobs["pump"].variables["RATE"].value == "5"
    assert document.jobs["tap"].kind is JobKind.DAEMON
    assert document.contexts()[ContextKey("tap/prod")].hosts == ("alpha", "beta")
    assert document.topics["pressure"].partitions == 3
    assert document.environments["staging"].prefix == "st."
    assert document.suspensions[0].start == datetime(2026, 12, 24, 17, tzinfo=UTC)


def test_what_is_not_said_has_its_default() -> None:
    context = read(a_context('schedule = "0 * * * *"')).contexts()[PUMP]

    assert context.policies == Policies()
    assert context.enabled is None
    assert context.hosts == "all"


def test_all_faults_are_told_at_once_each_with_its_path() -> None:
    found = faults(
        a_context('schedule = "*/70 * * * *"\noverlap = "forbidden"\npackage = "pump>=1"')
    )

    assert set(found) == {
        "job.pump.prod.schedule",
        "job.pump.prod.overlap",
        "job.pump.prod.package",
    }
    assert "minute 70 is out of range (0-59)" in found["job.pump.prod.schedule"]
    assert found["job.pump.prod.overlap"] == 'overlap "forbidden" is unknown: allow, forbid'


@pytest.mark.parametrize(
    ("line", "path", "words"),
    [
        ("shedule = '0 * * * *'", "shedule", "did you mean schedule?"),
        ("attempts = 0", "attempts", "whole number from 1"),
        ("attempts = true", "attempts", "whole number from 1"),
        ("time_limit = 90", "time_limit", "with its unit"),
        ("start_window = '2 h'", "start_window", "too long"),
        ("memory_limit = 'much'", "memory_limit", "with its unit"),
        ("enabled = 'yes'", "enabled", "neither true nor false"),
        ("zone = 'Europe/Brussel'", "zone", "did you mean Europe/Brussels?"),
        ("schedule = ['0 * * * *', '0 * * * *']", "schedule.1", "is there twice"),
        ("schedule = { zone = 'UTC' }", "schedule.cron", 'needs "cron"'),
        ("schedule = 5", "schedule", "in quotes"),
        ("hosts = 'all'", "hosts", "only a daemon"),
        ("set.rate = 'x'", "set.rate", "did you mean RATE?"),
        ("set.KIRBY_URL = 'x'", "set.KIRBY_URL", "are Kirby's"),
        ("set.RATE = []", "set.RATE", "no text, number or truth"),
        ("secret.PIN = { from = 'PIN' }", "secret.PIN", "was not fetched"),
        ("secret.PIN = 'x'\nset.PIN = 'y'", "secret.PIN", "both set and secret"),
        ("package = 'kirby==1.0'", "package", "Kirby itself"),
    ],
)
def test_a_wrong_key_of_a_context_is_told_with_its_path(line: str, path: str, words: str) -> None:
    found = faults(a_context(line))

    assert words in found[f"job.pump.prod.{path}"]


@pytest.mark.parametrize(
    ("text", "path", "words"),
    [
        ("jobs = {}", "jobs", "did you mean job?"),
        ("[group.bakers]\nto = []", "group", "unknown"),
        ("job = 5", "job", "no table"),
        ("[job.Pump]", "job.Pump", "1 to 63 of a-z"),
        ("[job.pump]\npackages = 'a==1'", "job.pump.packages", "did you mean package?"),
        ("[job.pump]\nschedule = '* * * * *'", "job.pump.schedule", "as in prod.schedule"),
        ("[job.pump]\npackage='p==1'\n[job.pump.prd]", "job.pump.prd", "did you mean prod?"),
        ("[job.pump.prod]", "job.pump.prod.package", "has no package"),
        ("[environment.set]", "environment.set", "key of jobs"),
        ("[topic.'a b']", "topic.a b", "a topic has"),
        ("[[suspension]]\ncontext = 'pump/prod'", "suspension.0.from", 'needs "from"'),
        (
            "[[suspension]]\ncontext='p/prod'\nfrom=2026-01-01T00:00:00\nto=2026-01-02T00:00:00Z",
            "suspension.0.from",
            "no offset",
        ),
        (
            "[[suspension]]\ncontext='p/prod'\nfrom=2026-01-03T00:00:00Z\nto=2026-01-02T00:00:00Z",
            "suspension.0.to",
            "swap the two",
        ),
        (
            "[job.tap]\nkind='daemon'\npackage='t==1'\nprod.schedule='* * * * *'",
            "job.tap.prod.schedule",
            "runs all the time",
        ),
    ],
)
def test_a_wrong_key_elsewhere_is_told_with_its_path(text: str, path: str, words: str) -> None:
    assert words in faults(text)[path]


def test_a_secret_comes_with_its_value_or_is_kept_as_it_is() -> None:
    text = a_context("secret.PIN = '1234'\nsecret.KEY = { keep = true }")

    variables = read(text).contexts()[PUMP].variables

    assert variables["PIN"].secret is SecretState.SECRET
    assert variables["KEY"].secret is SecretState.KEPT
    assert "1234" not in repr(variables)


def test_a_daemon_has_no_attempts_so_it_has_no_back_off_between_them() -> None:
    found = faults("""
        [job.tap]
        kind = "daemon"
        package = "tap==2"
        prod = { back_off = "1 s", back_off_limit = "1 min", prestart = false }
    """)

    assert set(found) == {
        "job.tap.prod.back_off",
        "job.tap.prod.back_off_limit",
        "job.tap.prod.prestart",
    }

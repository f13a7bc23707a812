import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kirby.core.document.difference import Prune
from kirby.core.errors import Conflict, InvalidDocument
from kirby.core.names import ContextKey
from kirby.core.nouns import Suspension as Window
from kirby.host.keys import ClusterKeys
from kirby.model.contexts import set_enabled, suspend
from kirby.model.definitions import ConfigKey, Context, Job, Script
from kirby.model.document import Document, Plan, apply_document, export_document, plan_document
from kirby.model.revisions import current_revision
from kirby.model.schedule import definition_of, schedule_since
from tests.builders.databases import a_database
from tests.builders.model import NOON, PUMP, SECOND

KEY = ClusterKeys.of(b"k" * 32)
FAN = ContextKey("fan/prod")
FULL = """
    [environment.staging]
    [set]
    SITE = "north"
    [secret]
    MASTER = "open sesame"
    [topic.pressure]
    partitions = 3
    [job.pump]
    about = "Reads the pump"
    package = "pump==1.0"
    set.RATE = 5
    [job.pump.prod]
    schedule = ["*/10 * * * *", { cron = "5 4 * * *", zone = "Europe/Brussels" }, "@daily"]
    attempts = 3
    back_off = "5 s"
    memory_limit = "256 MB"
    exclusive = true
    secret.PIN = "1234"
    [job.pump.staging]
    package = "pump==1.1"
    schedule = "30 0 * * * *"
    enabled = false
    [job.tap]
    kind = "daemon"
    package = "tap==2.0"
    prod.hosts = ["alpha"]
    dev.hosts = 2
    [[suspension]]
    context = "pump/prod"
    from = 2026-12-24T18:00:00+01:00
    to = 2026-12-27T06:00:00+01:00
    reason = "closed"
"""


@pytest.fixture(autouse=True)
def opened(tmp_path: Path) -> Iterator[None]:
    with a_database(tmp_path):
        yield


def nothing_lacks(_package: str) -> None:
    return None


def the_document(text: str | dict[str, Any], **given: Any) -> Document:
    data = tomllib.loads(text) if isinstance(text, str) else text
    return Document(data=data, by="anna", **given)


def apply(text: str | dict[str, Any], prune: Prune = Prune.KEEP) -> Plan:
    return apply_document(the_document(text, prune=prune), KEY, nothing_lacks, NOON)


def lines(plan: Plan) -> list[str]:
    return [
        " ".join(filter(None, [c.sign.value, c.what, c.field, c.before, "→", c.after, c.note]))
        for c in plan.changes
    ]


def pump(*more: str, package: str = "pump==1.0", cron: str = "*/10 * * * *") -> str:
    head = f'[job.pump]\npackage = "{package}"\n[job.pump.prod]\nschedule = "{cron}"\n'
    return head + "\n".join(more)


def test_an_applied_document_is_in_the_schedule() -> None:
    apply(FULL)

    definition = definition_of(PUMP, NOON)
    assert [line.cron for line in definition.schedules] == [
        "*/10 * * * *",
        "5 4 * * *",
        "0 0 * * *",
    ]
    assert definition.policies.attempts == 3
    assert [each.name for each in definition.variables] == ["MASTER", "PIN", "RATE", "SITE"]
    assert definition.suspensions[0].reason == "closed"


def test_a_document_applied_again_changes_nothing() -> None:
    apply(FULL)
    revision = current_revision()

    again = apply(FULL)

    assert again.changes == []
    assert current_revision() == revision


def test_what_is_exported_applies_without_a_change_even_with_prune() -> None:
    apply(FULL)
    exported = json.loads(json.dumps(export_document(KEY)))

    again = apply(exported, Prune.DELETE)

    assert lines(again) == []


def test_an_export_holds_no_secret() -> None:
    apply(FULL)

    text = json.dumps(export_document(KEY))

    assert "1234" not in text
    assert "sesame" not in text


def test_secrets_lie_sealed() -> None:
    apply(FULL)

    row = ConfigKey.get(ConfigKey.name == "PIN")
    assert row.sealed
    assert "1234" not in row.value
    assert KEY.open(row.value) == "1234"


def test_a_change_of_a_schedule_says_when_it_fires_next() -> None:
    apply(pump(cron="*/15 * * * *"))

    plan = apply(pump(cron="*/10 * * * *"))

    assert lines(plan) == [
        "~ pump/prod schedule */15 * * * * → */10 * * * * next 12:10, then 12:20, 12:30"
    ]


def test_a_new_version_of_a_job_is_told_for_its_contexts() -> None:
    apply(pump(package="pump==1.0"))

    plan = apply(pump(package="pump==1.1"))

    assert "~ pump/prod package pump==1.0 → pump==1.1" in lines(plan)
    assert definition_of(PUMP, NOON).package == "pump==1.1"


def test_a_suspension_says_how_many_fires_it_takes() -> None:
    window = """
        [[suspension]]
        context = "pump/prod"
        from = 2026-11-24T00:00:00Z
        to = 2026-11-24T02:00:00Z
    """

    plan = apply(pump(window))

    assert lines(plan)[-1].endswith("12 fires will be suspended")


def test_a_secret_is_never_shown() -> None:
    apply(pump('secret.PIN = "1234"'))

    plan = apply(pump('secret.PIN = "5678"'))

    assert lines(plan) == ["~ pump/prod PIN (secret) → (secret)"]


def test_a_plan_changes_nothing() -> None:
    plan = plan_document(the_document(FULL), KEY, nothing_lacks, NOON)

    assert len(plan.changes) > 5
    assert Job.select().count() == 0
    assert Script.select().count() == 0


def test_what_is_not_named_stays_without_prune() -> None:
    apply(pump("set.RATE = 5"))
    apply('[job.fan]\npackage = "fan==1.0"\nprod.schedule = "0 * * * *"')

    assert definition_of(PUMP, NOON).variables[0].name == "RATE"


def test_what_is_not_named_goes_with_prune() -> None:
    apply(FULL)
    before = current_revision()

    plan = apply(
        '[job.tap]\nkind = "daemon"\npackage = "tap==2.0"\nprod.hosts = "all"', Prune.DELETE
    )

    assert "- pump job Reads the pump →" in lines(plan)
    assert {row.key for row in Context.select()} == {"tap/prod"}
    schedule = schedule_since(before, NOON)
    assert schedule is not None
    assert set(schedule.gone) == {"pump/prod", "pump/staging", "tap/dev"}


def test_a_suspension_made_by_hand_outlives_a_pruning_document() -> None:
    apply(pump())
    suspend(PUMP, Window(start=NOON, end=NOON + 60 * SECOND), by="anna", now=NOON)

    plan = apply(pump(), Prune.DELETE)

    assert plan.changes == []


def test_a_context_disabled_by_hand_stays_so_when_the_document_is_silent() -> None:
    apply(pump())
    set_enabled(PUMP, False, NOON)

    apply(pump("attempts = 2"))

    assert not definition_of(PUMP, NOON).enabled


def test_only_contexts_that_change_are_in_the_next_answer() -> None:
    apply(pump() + '\n[job.fan]\npackage = "fan==1.0"\nprod.schedule = "0 * * * *"')
    before = current_revision()

    apply(pump("attempts = 2"))

    schedule = schedule_since(before, NOON)
    assert schedule is not None
    assert [each.context for each in schedule.contexts] == ["pump/prod"]


def test_a_global_variable_touches_all_contexts() -> None:
    apply(pump() + '\n[job.fan]\npackage = "fan==1.0"\nprod.schedule = "0 * * * *"')
    before = current_revision()

    apply('set.SITE = "south"')

    schedule = schedule_since(before, NOON)
    assert schedule is not None
    assert len(schedule.contexts) == 2


def test_a_deleted_context_that_comes_back_tells_when_it_was_away() -> None:
    apply(pump())
    apply("", Prune.DELETE)

    apply_document(the_document(pump()), KEY, nothing_lacks, NOON + 60 * SECOND)

    (absence,) = definition_of(PUMP, NOON).absences
    assert (absence.start, absence.end) == (NOON, NOON + 60 * SECOND)


def test_a_document_that_was_planned_before_another_change_is_refused() -> None:
    plan = plan_document(the_document(pump()), KEY, nothing_lacks, NOON)
    apply(FULL)

    with pytest.raises(Conflict, match="changed since"):
        apply_document(the_document(pump(), revision=plan.revision), KEY, nothing_lacks, NOON)


def test_faults_that_need_the_database_are_told_together_and_nothing_is_changed() -> None:
    apply(FULL)
    wrong = """
        [topic.pressure]
        partitions = 12
        [environment.clone]
        prefix = "dev."
        [job.pump]
        package = "pmp==1.0"
        [job.pump.dev]
        secret.PIN = { keep = true }
        [[suspension]]
        context = "pmp/prod"
        from = 2026-12-24T18:00:00+01:00
        to = 2026-12-27T06:00:00+01:00
    """

    def lacks(package: str) -> str | None:
        return f'package "{package}": no such package in the index' if "pmp" in package else None

    with pytest.raises(InvalidDocument) as caught:
        apply_document(the_document(wrong), KEY, lacks, NOON)

    assert {fault.field for fault in caught.value.faults} == {
        "topic.pressure.partitions",
        "environment.clone.prefix",
        "job.pump.package",
        "job.pump.dev.secret.PIN",
        "suspension.0.context",
    }


def test_topics_are_named_with_the_prefix_of_each_environment_that_is_used() -> None:
    plan = apply(FULL)

    assert plan.topics == {"pressure": 3, "staging.pressure": 3, "dev.pressure": 3}

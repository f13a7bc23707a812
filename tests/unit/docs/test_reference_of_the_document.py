"""The page of the document has one line for each key that is read, with the default that holds."""

import pytest

from kirby.core.document.contexts import (
    ATTEMPTS_LIMIT,
    CONTEXT_KEYS,
    POLICY_READERS,
    SCHEDULED_ONLY,
    WINDOW_LIMIT,
)
from kirby.core.document.difference_shown import shown_policy
from kirby.core.document.reading import DEFAULT_PARTITIONS, JOB_KEYS, TOP_KEYS
from kirby.core.durations import write_duration
from kirby.core.nouns import CatchUp, JobKind, Lost, Overlap, Policies
from kirby.core.variables import check_variable_name
from tests.builders.pages import code, page, rows, section

PAGE = "docs/reference/document.md"
CONTEXT = "## [job.NAME.ENVIRONMENT]"


def keys_below(heading: str) -> list[str]:
    return [code(row[0])[0] for row in rows(section(page(PAGE), heading))]


def context_row(key: str) -> list[str]:
    return next(row for row in rows(section(page(PAGE), CONTEXT)) if code(row[0]) == [key])


@pytest.mark.parametrize(
    ("heading", "known"),
    [
        ("## The top", TOP_KEYS),
        ("## [environment.NAME]", ("prefix", "about")),
        ("## [job.NAME]", JOB_KEYS),
        (CONTEXT, CONTEXT_KEYS),
        ("## [[suspension]]", ("context", "from", "to", "reason")),
        ("## [topic.NAME]", ("partitions",)),
    ],
)
def test_each_key_that_is_read_has_one_line(heading, known):
    assert sorted(keys_below(heading)) == sorted(known)


@pytest.mark.parametrize("key", sorted(POLICY_READERS))
def test_the_default_of_a_policy_is_the_one_that_holds(key):
    default = getattr(Policies(), key)

    told = context_row(key)[-1]

    if default is None:
        assert "`" not in told
    else:
        assert told == f"`{shown_policy(key, default)}`"


@pytest.mark.parametrize("key", sorted(CONTEXT_KEYS))
def test_it_is_said_which_kind_of_job_a_key_is_for(key):
    expected = "scheduled" if key in SCHEDULED_ONLY else "daemon" if key == "hosts" else "both"

    assert context_row(key)[1] == expected


@pytest.mark.parametrize(
    ("key", "choices"), [("catch_up", CatchUp), ("overlap", Overlap), ("lost", Lost)]
)
def test_every_choice_of_a_policy_is_named(key, choices):
    assert {each.value for each in choices} <= set(code(context_row(key)[2]))


def test_both_kinds_of_jobs_and_the_limits_are_named():
    kinds = next(row for row in rows(section(page(PAGE), "## [job.NAME]")) if "`kind`" in row[0])

    assert {each.value for each in JobKind} == set(code(kinds[1]))
    assert write_duration(WINDOW_LIMIT) in code(context_row("start_window")[2])
    assert code(rows(section(page(PAGE), "## [topic.NAME]"))[0][2]) == [str(DEFAULT_PARTITIONS)]
    assert Policies().attempts <= ATTEMPTS_LIMIT


def test_the_names_of_variables_on_the_page_are_allowed():
    for name in ("SALES_URL", "SHOP_TOKEN"):
        assert check_variable_name(name) == name
        assert name in page(PAGE)

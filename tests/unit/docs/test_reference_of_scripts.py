"""The pages for those who write scripts name what the code gives them, and nothing else."""

import inspect
import re
from dataclasses import fields
from datetime import UTC, datetime, timedelta

import pytest

import kirby
from kirby.core.guarding.arming import PASSED_ON, House, Personal, environment_of_run
from kirby.core.names import ContextKey, Epoch, FencingToken, Host, RunId
from kirby.core.nouns import AttemptEnd, RunPlan
from kirby.core.records import Offer
from kirby.script.logger import Log
from kirby.script.surroundings import Surroundings
from tests.builders.pages import code, page, rows, section

ENVIRONMENT = "docs/reference/environment.md"
LIBRARY = "docs/reference/script-library.md"
NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


def an_offer() -> Offer:
    return Offer(
        run=RunId("pump/prod@2026-05-01T12:00:00Z"),
        attempt=1,
        context=ContextKey("pump/prod"),
        epoch=Epoch(1),
        token=FencingToken(7),
        due=NOON,
        not_before=NOON,
        deadline=NOON + timedelta(minutes=1),
        plan=RunPlan(context=ContextKey("pump/prod"), package="pump==1"),
    )


def told_variables() -> set[str]:
    first = page(ENVIRONMENT).partition("\n## ")[0]
    return {code(row[0])[0] for row in rows(first)}


def test_every_variable_that_a_run_gets_is_told():
    house = House(host=Host("alpha"), kafka="{}", url="http://x", inherited={})
    own = Personal(run="pump/prod@x", token="t", bin="/e/bin", values={})

    given = environment_of_run(house, own, an_offer())

    # The shim opens the pipe of the log, so it adds its number; and it knows its state folder.
    by_the_shim = {"KIRBY_LOG_FD", "KIRBY_MARK"}
    assert told_variables() == {n for n in given if n.startswith("KIRBY_")} | by_the_shim


def test_what_is_passed_on_of_the_hosts_environment_is_told():
    text = page(ENVIRONMENT)

    plain = [name for name in PASSED_ON if not re.search("(?i)proxy|ssl|bundle", name)]
    assert set(plain) <= set(code(text))


def test_the_ends_of_an_attempt_are_those_that_exist():
    told = {code(row[1])[0] for row in rows(section(page(ENVIRONMENT), "## How it ends"))}

    assert told == {end.value for end in AttemptEnd} - {AttemptEnd.NOT_STARTED.value}


def test_every_name_of_the_library_is_told():
    first = page(LIBRARY).partition("\n## ")[0]

    assert {code(row[0])[0] for row in rows(first)} == set(kirby.__all__)


def test_every_attribute_of_a_run_and_of_a_record_is_told():
    of_run = {code(row[0])[0] for row in rows(section(page(LIBRARY), "## Context"))}
    of_record = {code(row[0])[0] for row in rows(section(page(LIBRARY), "## Record"))}

    assert of_run == {each.name for each in fields(Surroundings)}
    assert of_record == {each.name for each in fields(kirby.Record)}


@pytest.mark.parametrize(("heading", "kind"), [("## Topic", kirby.Topic), ("## log", Log)])
def test_every_public_member_is_told_with_its_parameters(heading, kind):
    told = {
        re.sub(r"\(.*", "", code(row[0])[0]): row[0]
        for row in rows(section(page(LIBRARY), heading))
        if code(row[0])
    }
    public = {name: member for name, member in vars(kind).items() if not name.startswith("_")}

    assert set(told) == set(public)
    for name, member in public.items():
        if inspect.isfunction(member):
            for parameter in list(inspect.signature(member).parameters)[1:]:
                assert parameter in told[name], name

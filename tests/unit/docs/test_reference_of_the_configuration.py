"""The page of the configuration has every setting with its flag, variable and default."""

import re

import pytest

from kirby.core.configuration import Machine, configure
from kirby.core.configuration_fields import FIELDS, variable_of
from kirby.host.state import StateFolder
from kirby.kafka.embedded import sources_of
from tests.builders.pages import ROOT, code, page, rows, section

PAGE = "docs/reference/configuration.md"
MACHINE = Machine(hostname="alpha", cores=2, memory_bytes=8_000_000_000, state="/s")


def settings() -> dict[str, list[str]]:
    first = page(PAGE).partition("\n## ")[0]
    return {code(row[0])[0]: row for row in rows(first) if len(row) == 5}


def test_every_setting_has_one_line():
    assert list(settings()) == list(FIELDS)


@pytest.mark.parametrize("name", sorted(FIELDS))
def test_flag_and_variable_of_a_setting_are_those_that_are_read(name):
    _, flag, variable, _, _ = settings()[name]

    read = FIELDS[name].flag
    assert flag == (f"`{read}`" if read.startswith("--") else "–")
    assert code(variable) == [variable_of(name)]


@pytest.mark.parametrize(
    "name", ["address", "port", "priority", "watchdogs", "kafka.topic_prefix", "web.listen"]
)
def test_the_default_of_a_setting_is_the_one_that_holds(name):
    host = configure(machine=MACHINE)

    assert code(settings()[name][-1])[0] == str(getattr(host, FIELDS[name].attribute))


def test_defaults_that_depend_on_the_machine_are_told_as_they_are_worked_out():
    own = configure(machine=MACHINE)
    foreign = configure(machine=MACHINE, flags={"kafka.bootstrap": "k1:9092"})

    assert own.slots == 4 * MACHINE.cores
    assert own.parked_memory_bytes == MACHINE.memory_bytes // 8
    assert code(settings()["kafka.replication"][-1])[0] == str(foreign.replication)
    assert own.replication == 1


def test_the_variables_of_the_embedded_kafka_are_those_that_are_read():
    text = page(PAGE)

    told = {code(row[0])[0] for row in rows(text) if len(row) == 3}

    assert told == set(re.findall(r"KIRBY_[A-Z_]+", sources_of.__doc__ or ""))


def test_everything_that_the_page_puts_into_the_state_folder_is_there_in_the_code():
    known = {
        attribute.__get__(StateFolder(path=ROOT)).name
        for attribute in vars(StateFolder).values()
        if isinstance(attribute, property)
    }

    told = {code(row[0])[0].rstrip("/") for row in rows(section(page(PAGE), "## The state folder"))}

    assert told <= known

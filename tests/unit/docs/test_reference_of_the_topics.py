"""The page of the topics has every internal topic as it is made, and every header."""

import re

from kirby.core.durations import write_duration
from kirby.kafka.topics import LAYOUTS, Layout
from kirby.script import headers
from tests.builders.pages import code, page, rows, section

PAGE = "docs/reference/topics.md"


def kept(layout: Layout) -> str:
    return "compacted" if layout.kept is None else f"{layout.kept.days} days"


def test_every_internal_topic_is_told_as_it_is_made():
    told = {
        code(row[0])[0]: (row[2], row[3]) for row in rows(section(page(PAGE), "## Internal topics"))
    }

    assert told == {
        name.value: (str(layout.partitions), kept(layout)) for name, layout in LAYOUTS.items()
    }
    assert all(
        write_duration(layout.kept).endswith("d") for layout in LAYOUTS.values() if layout.kept
    )


def test_the_topics_of_the_architecture_are_the_same():
    told = {code(row[0])[0] for row in rows(section(page("ARCHITECTURE.md"), "## Topics"))}

    assert told == {f".kirby.{name.value}" for name in LAYOUTS}


def test_every_header_is_told():
    told = {code(row[0])[0] for row in rows(section(page(PAGE), "## Topics of scripts"))}

    assert told == {
        value
        for value in vars(headers).values()
        if isinstance(value, str) and re.fullmatch(r"kirby-[a-z-]+[a-z]", value)
    }

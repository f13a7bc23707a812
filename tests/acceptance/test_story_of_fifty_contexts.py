"""Fifty contexts on one host for a while: each due fire ran exactly once and has its end.

KIRBY_STORY_SECONDS says how long (default 70, so that each minute comes at least once);
KIRBY_STORY_SEED repeats a story.
"""

import os
import random
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from tests.stories.fifty import Planned, plan_fifty
from tests.stories.host import Host
from tests.stories.ledger import Run, instant
from tests.stories.patience import eventually
from tests.stories.schedules import due_instants, without_an_end

SECONDS = float(os.environ.get("KIRBY_STORY_SECONDS", "70"))
SEED = int(os.environ.get("KIRBY_STORY_SEED") or random.SystemRandom().randrange(10**6))
AFTERWARDS = timedelta(seconds=2)  # the last fires of the story may still be on their way

pytestmark = [pytest.mark.acceptance, pytest.mark.timeout(SECONDS + 240)]


@dataclass(frozen=True, kw_only=True)
class Story:
    """What was planned, and all that came of it."""

    host: Host
    fifty: tuple[Planned, ...]
    since: datetime
    until: datetime
    fires: dict[str, list[Run]]

    def due(self, planned: Planned) -> list[datetime]:
        return due_instants(planned.lines, self.since, self.until)


@pytest.fixture(scope="module")
def story(own_host: Host) -> Story:
    print(f"KIRBY_STORY_SEED={SEED} KIRBY_STORY_SECONDS={SECONDS:.0f}")
    host = own_host
    now = datetime.now(UTC).replace(microsecond=0)
    fifty = plan_fifty(random.Random(SEED), now, SECONDS)
    rests = [planned.suspension() for planned in fifty if planned.suspended]
    host.applies({planned.name: planned.job() for planned in fifty}, suspension=rests)
    since = datetime.now(UTC) + timedelta(seconds=3)
    time.sleep(SECONDS)  # the story is about time
    until = datetime.now(UTC) - AFTERWARDS
    fires = eventually(
        lambda: by_context(host.ledger.fires()),
        what="each due fire has its end",
        until=lambda found: all(
            not without_an_end(due_instants(p.lines, since, until), found.get(p.context, []))
            for p in fifty
        ),
        every_s=2,
    )
    return Story(host=host, fifty=fifty, since=since, until=until, fires=fires)


def by_context(fires: list[Run]) -> dict[str, list[Run]]:
    found: dict[str, list[Run]] = {}
    for fire in fires:
        found.setdefault(fire["context"], []).append(fire)
    return found


def test_each_due_fire_ran_exactly_once_by_the_witness(story: Story) -> None:
    for planned in story.fifty:
        due = story.due(planned)
        awake = [each for each in due if not planned.rests(each)]

        assert story.host.witness.dues(planned.context, among=due) == awake, planned
    assert story.host.witness.twice() == {}


def test_each_fire_has_one_end_and_the_right_one(story: Story) -> None:
    for planned in story.fifty:
        ends = {instant(f["due"]): f for f in story.fires[planned.context] if not f.get("stretch")}

        for due in story.due(planned):
            if not planned.rests(due):
                assert ends[due]["end"] == "succeeded", ends[due]
                assert ends[due]["attempts"] == 1
        assert len(ends) == sum(not f.get("stretch") for f in story.fires[planned.context])


def test_what_was_suspended_is_told_as_skipped_with_its_reason(story: Story) -> None:
    for planned in story.fifty:
        rested = [due for due in story.due(planned) if planned.rests(due)]
        skipped = [f for f in story.fires[planned.context] if f["end"] == "skipped"]

        assert without_an_end(rested, skipped) == []
        assert all("the oven rests" in fire["reason"] for fire in skipped)
        told = sum(fire["count"] if fire.get("stretch") else 1 for fire in skipped)
        assert told >= len(rested)


def test_nothing_ran_that_was_not_due_nor_before_it_was(story: Story) -> None:
    for planned in story.fifty:
        began = story.host.witness.began(planned.context)
        inside = [e for e in began if e.due is not None and story.since < e.due <= story.until]

        assert {e.due for e in inside} <= set(story.due(planned))
        assert [e for e in inside if e.due is not None and e.at < e.due] == []


def test_fencing_tokens_rise_with_the_due_instants(story: Story) -> None:
    for planned in story.fifty:
        began = [e for e in story.host.witness.began(planned.context) if e.due is not None]

        by_due = sorted(began, key=lambda e: (e.due, e.token))
        tokens = [entry.token for entry in by_due]
        assert tokens == sorted(set(tokens))

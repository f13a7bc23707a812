"""What becomes of a host's services that died, by the pure core."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from kirby.core.mending import (
    AGAIN_WHEN_IN_THE_WAY_S,
    Event,
    FoundDead,
    InTheWay,
    Mended,
    Mending,
    NotMended,
    Say,
    Started,
    Undertake,
    mending_of,
    step,
    wait_s,
)
from kirby.core.moment import Moment

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
KAFKA, SHIM = "Kafka", "shim"


@dataclass
class Story:
    """A host's services, and a clock that is turned by hand."""

    mending: Mending = field(default_factory=lambda: mending_of((KAFKA, SHIM)))
    seconds: float = 0.0

    def now(self) -> Moment:
        return Moment(wall=NOON + timedelta(seconds=self.seconds), boot=100.0 + self.seconds)

    def after(self, seconds: float) -> "Story":
        self.seconds += seconds
        return self

    def sees(self, event: Event) -> list[object]:
        self.mending, effects = step(self.mending, event, self.now())
        return list(effects)

    def fails(self, because: str = "it is burnt") -> list[object]:
        return self.sees(NotMended(service=KAFKA, because=because))


def a_host_that_ran_for(seconds: float) -> Story:
    story = Story()
    for name in (KAFKA, SHIM):
        story.sees(Started(service=name))
    return story.after(seconds)


def undertaken(effects: list[object]) -> list[str]:
    return [effect.service for effect in effects if isinstance(effect, Undertake)]


def said(effects: list[object]) -> list[str]:
    return [effect.sentence for effect in effects if isinstance(effect, Say)]


def test_a_service_that_died_is_made_anew_at_once_and_it_is_said() -> None:
    story = a_host_that_ran_for(60)

    effects = story.sees(FoundDead(service=KAFKA))

    assert undertaken(effects) == [KAFKA]
    assert said(effects) == ["the Kafka ended; it is started anew"]


def test_while_it_is_undertaken_it_is_not_undertaken_again() -> None:
    story = a_host_that_ran_for(60)
    story.sees(FoundDead(service=KAFKA))

    effects = story.after(30).sees(FoundDead(service=KAFKA))

    assert effects == []


def test_while_one_is_undertaken_another_that_dies_is_made_anew_as_well() -> None:
    story = a_host_that_ran_for(60)
    story.sees(FoundDead(service=KAFKA))

    effects = story.sees(FoundDead(service=SHIM))

    assert undertaken(effects) == [SHIM]


def test_what_is_being_mended_is_known_with_its_beginning_its_tries_and_the_reason() -> None:
    story = a_host_that_ran_for(60)
    story.sees(FoundDead(service=KAFKA))
    story.after(3).fails("the oven is cold")
    story.sees(FoundDead(service=KAFKA))

    trouble = story.mending.troubles[KAFKA]

    assert trouble.since == NOON + timedelta(seconds=60)
    assert (trouble.tries, trouble.because, trouble.under_way) == (2, "the oven is cold", True)


def test_one_that_runs_again_is_no_longer_in_trouble_and_it_is_said() -> None:
    story = a_host_that_ran_for(60)
    story.sees(FoundDead(service=KAFKA))

    effects = story.after(3).sees(Mended(service=KAFKA))

    assert said(effects) == ["the Kafka runs again"]
    assert story.mending.troubles == {}


def test_tries_that_fail_come_ever_more_slowly_however_long_each_takes() -> None:
    story = a_host_that_ran_for(60)
    waits = []
    for _ in range(6):
        assert undertaken(story.sees(FoundDead(service=KAFKA))) == [KAFKA]
        story.after(90).fails()
        waits.append(wait_s(story.mending, story.now(), most=100.0))
        assert waits[-1] == 0 or story.sees(FoundDead(service=KAFKA)) == []
        story.after(waits[-1])

    assert waits == [0.0, 0.5, 1.0, 2.0, 4.0, 8.0]


def test_the_same_reason_is_said_once() -> None:
    story = a_host_that_ran_for(60)
    story.sees(FoundDead(service=KAFKA))
    first = story.fails("the oven is cold")
    story.sees(FoundDead(service=KAFKA))
    again = story.fails("the oven is cold")
    story.after(60).sees(FoundDead(service=KAFKA))
    other = story.fails("the oven is gone")

    assert said(first) == ["the Kafka cannot be started: the oven is cold"]
    assert again == []
    assert said(other) == ["the Kafka cannot be started: the oven is gone"]


def test_what_is_in_the_way_is_looked_at_again_after_two_seconds_however_often() -> None:
    story = a_host_that_ran_for(60)
    for _ in range(20):
        assert undertaken(story.sees(FoundDead(service=KAFKA))) == [KAFKA]
        story.sees(InTheWay(service=KAFKA, because="the port is taken"))
        assert wait_s(story.mending, story.now(), most=100.0) == AGAIN_WHEN_IN_THE_WAY_S
        story.after(AGAIN_WHEN_IN_THE_WAY_S)

    assert story.mending.troubles[KAFKA].tries == 20


def test_one_that_dies_right_after_it_was_mended_waits_as_others_do() -> None:
    story = a_host_that_ran_for(60)
    for _ in range(2):
        story.sees(FoundDead(service=KAFKA))
        story.sees(Mended(service=KAFKA))

    effects = story.after(1).sees(FoundDead(service=KAFKA))

    assert effects == []
    assert wait_s(story.mending, story.now(), most=100.0) == 0.5


def test_with_nothing_in_trouble_the_next_look_is_as_late_as_may_be() -> None:
    story = a_host_that_ran_for(60)

    assert wait_s(story.mending, story.now(), most=1.0) == 1.0

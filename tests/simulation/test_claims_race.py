"""Several Runners, one log: whatever is lost, late or killed, an attempt starts at most once."""

from collections import Counter
from functools import partial

import pytest

from kirby.core.names import AttemptId
from kirby.core.nouns import LeaderReason
from kirby.core.records import Claim
from tests.builders.claims import ALPHA, BETA, GAMMA, a_leader_claim, an_offer, attempt
from tests.builders.claims_world import Faults, World

SEEDS = range(25)
STORM = Faults(lost=0.15, late=0.15, deaths=6.0, freezes=6.0)
OFFERS = 60
WINDOW = 30.0  # start window of each offer
OVER = 150.0  # the last deadline is long past, and the weather was calm for a while


def a_world_with_offers(seed: int, faults: Faults, *, withdrawn: float = 0.0) -> World:
    """Return a world in which a fire is due each second; a share is withdrawn by the leader."""
    world = World(seed, faults=faults)
    names = [ALPHA, BETA, GAMMA]
    for second in range(OFFERS):
        run = f"job{second}/prod@12:00"
        world.rng.shuffle(names)
        named = tuple(names[: world.rng.randint(1, 3)])
        world.offer(second, an_offer(run, hosts=named, due=second + 2.0, window=WINDOW))
        if world.rng.random() < withdrawn:
            claim = a_leader_claim(run, world.rng.choice(list(LeaderReason)))
            world.after(second + world.rng.uniform(0.0, 4.0), partial(world.append, claim))
    return world


def starts(world: World) -> Counter[AttemptId]:
    return Counter(each for each, _ in world.started)


def offered() -> list[AttemptId]:
    return [attempt(f"job{second}/prod@12:00") for second in range(OFFERS)]


def check_truth(world: World, seed: int) -> None:
    """Check that nothing started twice, and that what is said not to have started has not."""
    twice = [each for each, count in starts(world).items() if count > 1]
    assert twice == [], f"seed {seed}: started twice"
    begun = dict(world.started)
    lies = [(each, host) for each, host in world.reports if each in begun]
    assert lies == [], f"seed {seed}: reported as not started, and had"


def is_held_by_the_living(world: World, each: AttemptId) -> bool:
    """Tell whether the first claim is one of an incarnation that is still there."""
    first = world.first_claim(each)
    if not isinstance(first, Claim):
        return False
    host = next(host for host in world.hosts if host.name == first.host)
    return host.state.incarnation == first.incarnation


@pytest.mark.parametrize("seed", SEEDS)
def test_in_calm_weather_every_offer_is_started_exactly_once(seed: int) -> None:
    world = a_world_with_offers(seed, Faults())

    world.run(OVER)

    assert starts(world) == Counter(offered()), f"seed {seed}"
    claims = [record for record in world.log if isinstance(record, Claim)]
    assert len(claims) < OFFERS * 1.1, f"seed {seed}: claims too many"


@pytest.mark.parametrize("seed", SEEDS)
def test_in_a_storm_no_attempt_starts_twice_and_no_report_lies(seed: int) -> None:
    world = a_world_with_offers(seed, STORM, withdrawn=0.2)

    world.run(OVER)

    check_truth(world, seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_a_living_incarnation_won_is_started_or_reported(seed: int) -> None:
    world = a_world_with_offers(seed, STORM, withdrawn=0.2)

    world.run(OVER)

    answered = set(starts(world)) | {each for each, _ in world.reports}
    won = [each for each in offered() if is_held_by_the_living(world, each)]
    silent = [each for each in won if each not in answered]
    assert silent == [], f"seed {seed}: won, and never heard of again"


@pytest.mark.parametrize("seed", SEEDS)
def test_after_a_storm_offers_are_claimed_again(seed: int) -> None:
    world = a_world_with_offers(seed, STORM)
    world.run(OVER)
    late = [f"late{n}/prod@12:02" for n in range(9)]
    for run in late:
        world.offer(0.0, an_offer(run, due=OVER + 2.0, window=WINDOW))

    world.run(OVER + 60.0)

    assert all(starts(world)[attempt(run)] == 1 for run in late), f"seed {seed}"

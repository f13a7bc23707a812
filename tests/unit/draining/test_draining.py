"""How far a host has come that is being taken out."""

from kirby.core.draining import DrainState, draining_of

RUN, INSTANCE = "pump/prod@2026-03-02T12:00:00Z", "mixer/prod#alpha"


def test_a_host_that_holds_runs_and_daemons_is_draining_and_says_how_many() -> None:
    draining = draining_of([(RUN, "running"), (INSTANCE, "stopping")], [INSTANCE], is_told=True)

    assert draining.state is DrainState.DRAINING
    assert draining.sentence == "draining (holds 1 run, 1 daemon)"


def test_a_daemon_that_belongs_there_and_waits_to_be_started_again_counts() -> None:
    draining = draining_of([], ["a/prod#alpha", "b/prod#alpha"], is_told=True)

    assert draining.sentence == "draining (holds 2 daemons)"


def test_a_host_that_has_not_heard_of_it_may_still_claim_and_is_not_drained() -> None:
    assert draining_of([], [], is_told=False).sentence == "draining"


def test_a_host_is_drained_when_nothing_lives_on_it_although_ends_are_still_to_be_told() -> None:
    draining = draining_of([(RUN, "ended")], [], is_told=True)

    assert (draining.state, draining.sentence) == (DrainState.DRAINED, "drained")

import pytest

from kirby.shim import effects, events
from kirby.shim.book import Book
from kirby.shim.phases import TABLE, IllegalStep, Move, Phase, after
from kirby.shim.process import go
from kirby.shim.refusals import Refused
from tests.builders.shim import (
    DEADLINE,
    DUE,
    KEY,
    NOW,
    SECOND,
    a_parked,
    a_releasing,
    a_running,
    arm,
    deeds_of,
    gone,
    note_of,
    releases_of,
    renew,
    steps_of,
)

FAILED_3 = 3 << 8  # a wait status


def leased(until: int) -> Book:
    book = Book()
    book.step(renew(until), NOW)
    return book


def test_it_is_let_go_at_its_instant_and_not_before() -> None:
    book = a_releasing()

    early = book.step(events.Tick(), DUE - 1)
    due = book.step(events.Tick(), DUE)

    assert early == []
    assert deeds_of(due) == [effects.Release]
    assert steps_of(due) == ["released"]


def test_it_is_not_let_go_before_its_releasing_is_on_the_disk() -> None:
    book = a_parked()
    noted = book.step(events.Tick(), DUE - 50_000_000)

    unsynced = book.step(events.Tick(), DUE)
    book.step(events.Synced(), DUE)
    synced = book.step(events.Tick(), DUE)

    assert steps_of(noted) == ["releasing"]
    assert unsynced == []
    assert deeds_of(synced) == [effects.Release]


def test_those_that_are_let_go_together_are_told_how_many_they_are() -> None:
    book = a_parked()
    a_parked(book, attempt=2, not_before_boot_ns=DUE + 1_000_000)
    a_parked(book, attempt=3, not_before_boot_ns=DUE + SECOND)
    a_parked(book, attempt=4, not_before_boot_ns=DUE, deadline_boot_ns=DUE + SECOND)
    book.step(events.Tick(), DUE - 50_000_000)
    book.step(events.Synced(), DUE - 40_000_000)

    first = book.step(events.Tick(), DUE)
    second = book.step(events.Tick(), DUE + 1_000_000)

    assert [(one.key[1], one.company) for one in releases_of(first)] == [(1, 3), (4, 3)]
    assert [(one.key[1], one.company) for one in releases_of(second)] == [(2, 3)]


@pytest.mark.parametrize(
    ("company", "cores", "byte"),
    [(1, 2, b"g"), (2, 2, b"g"), (3, 2, b"\x81"), (100, 2, b"\xb2"), (1000, 2, b"\xe4")],
)
def test_only_those_that_are_more_than_the_cores_rest_before_their_end(
    company: int, cores: int, byte: bytes
) -> None:
    assert go(company, cores) == byte


def test_all_that_is_due_within_100_ms_is_noted_together() -> None:
    book = a_parked()
    a_parked(book, attempt=2, not_before_boot_ns=DUE + 40_000_000)
    a_parked(book, attempt=3, not_before_boot_ns=DUE + SECOND)

    noted = book.step(events.Tick(), DUE - 60_000_000)

    assert [effect.key[1] for effect in noted if isinstance(effect, effects.Note)] == [1, 2]


def test_all_deeds_of_an_instant_come_before_what_is_written_of_them() -> None:
    book = a_parked()
    a_parked(book, attempt=2)
    book.step(events.Tick(), DUE - 1)
    book.step(events.Synced(), DUE - 1)

    done = book.step(events.Tick(), DUE)

    kinds = [type(effect) for effect in done]
    assert kinds == [effects.Release, effects.Release, effects.Note, effects.Note]


def test_what_was_not_parked_is_started_at_its_instant() -> None:
    book = Book()
    book.step(arm(prestart=False), NOW)
    book.step(events.Taken(KEY, "/runs/pump"), NOW)
    book.step(events.Tick(), DUE - 1)
    book.step(events.Synced(), DUE - 1)

    due = book.step(events.Tick(), DUE)
    started = book.step(events.Taken(KEY, pid=4711, started=99), DUE)

    assert deeds_of(due) == [effects.Launch]
    assert steps_of(started) == ["released"]


def test_what_cannot_be_started_at_its_instant_never_began() -> None:
    book = Book()
    book.step(arm(prestart=False), NOW)
    book.step(events.Taken(KEY, "/runs/pump"), NOW)
    book.step(events.Tick(), DUE - 1)
    book.step(events.Synced(), DUE - 1)
    book.step(events.Tick(), DUE)

    done = book.step(events.NotTaken(KEY, "no_room", "no process could be started"), DUE)

    assert note_of(done, "not_started")["why"] == "no room"


def test_it_is_not_let_go_after_its_deadline_however_late_the_disk_was() -> None:
    book = a_parked()
    book.step(events.Tick(), DUE)
    book.step(events.Synced(), DEADLINE + 1)

    done = book.step(events.Tick(), DEADLINE + 1)

    assert deeds_of(done) == [effects.Close]
    assert note_of(done, "not_started")["why"] == "deadline passed"


def test_a_time_limit_asks_the_script_to_end_and_says_why() -> None:
    book = a_running(time_limit_ms=5_000, grace_ms=1_000)

    over = book.step(events.Tick(), DUE + 5 * SECOND)
    killed = book.step(events.Tick(), DUE + 6 * SECOND)
    ended = book.step(gone(9), DUE + 6 * SECOND)

    assert deeds_of(over) == [effects.Terminate]
    assert note_of(over, "stop_asked")["sentence"] == "over its time limit of 5 s"
    assert deeds_of(killed) == [effects.Kill]
    assert note_of(ended, "exited")["stop"] == "time limit"


def test_a_script_that_has_exited_is_not_over_its_time_any_more() -> None:
    book = a_running(time_limit_ms=5_000)
    book.step(events.Exited(KEY), DUE + SECOND)

    over = book.step(events.Tick(), DUE + 5 * SECOND)
    ended = book.step(gone(), DUE + 6 * SECOND)

    assert over == []
    assert note_of(ended, "exited")["stop"] == ""
    assert note_of(ended, "exited")["seconds"] == 1.0


def test_the_end_tells_status_or_signal() -> None:
    failed = a_running().step(gone(FAILED_3), DUE)
    killed = a_running().step(gone(11), DUE)

    assert (note_of(failed, "exited")["status"], note_of(failed, "exited")["signal"]) == (3, None)
    assert (note_of(killed, "exited")["status"], note_of(killed, "exited")["signal"]) == (None, 11)


def test_an_interpreter_that_dies_at_the_gate_never_began() -> None:
    done = a_parked().step(gone(FAILED_3), NOW)

    assert note_of(done, "not_started") == {
        "step": "not_started",
        "why": "refused",
        "sentence": "its interpreter ended before it was let go (exit status 3)",
    }


def test_an_adopted_one_that_ends_with_the_gates_status_is_lost() -> None:
    done = a_running().step(gone(113 << 8, closed_gate=True), DUE)

    assert steps_of(done) == ["lost"]


def test_an_adopted_one_whose_status_nobody_knows_is_lost() -> None:
    assert steps_of(a_running().step(gone(None), DUE)) == ["lost"]


def test_memory_that_ran_out_is_the_reason_of_the_end() -> None:
    done = a_running().step(gone(9, out_of_memory=True), DUE)

    assert note_of(done, "exited")["stop"] == "memory"


def test_the_first_line_tells_how_late_it_was() -> None:
    done = a_running().step(events.FirstLine(KEY, DUE + 1_400_000), DUE)

    assert note_of(done, "first_line") == {"step": "first_line", "late_us": 1400}


def test_an_exclusive_script_needs_a_lease() -> None:
    with pytest.raises(Refused) as refused:
        Book().step(arm(exclusive=True), NOW)

    assert refused.value.code == "lease"


def test_when_the_lease_ends_what_is_exclusive_is_killed_without_grace() -> None:
    book = leased(DUE + SECOND)
    a_parked(book, exclusive=True)
    book.step(events.Tick(), DUE - 1)
    book.step(events.Synced(), DUE - 1)
    book.step(events.Tick(), DUE)

    done = book.step(events.Tick(), DUE + SECOND)

    assert deeds_of(done) == [effects.Kill]
    assert note_of(done, "stop_asked")["reason"] == "lease"
    assert book.next_instant() is None


def test_a_renewal_that_comes_too_late_finds_it_killed() -> None:
    book = leased(DUE + SECOND)
    a_parked(book, exclusive=True)
    book.step(events.Tick(), DUE - 1)
    book.step(events.Synced(), DUE - 1)
    book.step(events.Tick(), DUE)

    done = book.step(renew(DUE + 60 * SECOND), DUE + 2 * SECOND)

    assert isinstance(done[0], effects.Kill)
    assert isinstance(done[-1], effects.Answer)


def test_a_lease_that_ends_before_the_instant_withdraws_what_is_exclusive() -> None:
    book = leased(NOW + SECOND)
    a_parked(book, exclusive=True)

    done = book.step(events.Tick(), NOW + SECOND)

    assert deeds_of(done) == [effects.Close]
    assert note_of(done, "not_started")["why"] == "refused"


def test_an_older_renewal_does_not_shorten_the_lease() -> None:
    book = leased(DUE)

    book.step(renew(NOW), NOW)

    assert book.lease_ends == DUE


def test_the_next_instant_is_the_first_at_which_something_is_due() -> None:
    assert Book().next_instant() is None
    assert a_parked().next_instant() == DUE - 100_000_000
    assert a_releasing().next_instant() == DUE
    assert a_running(time_limit_ms=1_000).next_instant() == DUE + SECOND


def test_a_missing_row_of_the_table_is_an_illegal_step() -> None:
    with pytest.raises(IllegalStep, match="let go of an attempt that is ended"):
        after(Phase.ENDED, Move.LET_GO)


def test_every_living_phase_can_end_and_the_end_is_the_end() -> None:
    assert {phase for phase, _ in TABLE} == set(Phase) - {Phase.ENDED}
    assert all(
        any(after is Phase.ENDED for (before, _), after in TABLE.items() if before is phase)
        for phase in Phase
        if phase.lives
    )

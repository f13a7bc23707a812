import pytest

from kirby.shim import effects, events
from kirby.shim.book import Book
from kirby.shim.lives import Lives
from kirby.shim.refusals import Refused
from tests.builders.shim import (
    DAEMON,
    DEADLINE,
    DUE,
    KEY,
    NOW,
    RUN,
    SECOND,
    a_parked,
    a_releasing,
    a_running,
    answer_of,
    arm,
    bar,
    daemon,
    deeds_of,
    end,
    gone,
    hello,
    note_of,
    renew,
    shipped,
    steps_of,
    stop,
    take_of,
)


def refusal(book: Book, event: object, now: int = NOW) -> Refused:
    with pytest.raises(Refused) as refused:
        book.step(event, now)
    return refused.value


def test_an_arm_makes_the_folder_and_starts_the_interpreter_before_it_is_answered() -> None:
    book = Book()

    taking = book.step(arm(), NOW)
    taken = book.step(events.Taken(KEY, "/runs/pump", 4711, 99), NOW)

    assert deeds_of(taking) == [effects.Take]
    assert take_of(taking).start
    assert steps_of(taken) == ["armed", "parked"]
    assert answer_of(taken) == {"run": RUN, "attempt": 1, "phase": "parked", "folder": "/runs/pump"}


def test_without_prestart_no_process_is_started_ahead() -> None:
    book = Book()

    taking = book.step(arm(prestart=False), NOW)
    taken = book.step(events.Taken(KEY, "/runs/pump"), NOW)

    assert not take_of(taking).start
    assert answer_of(taken)["phase"] == "armed"


def test_a_repeated_arm_is_answered_with_what_is_held() -> None:
    book = a_running()

    again = book.step(arm(), DUE)

    assert answer_of(again)["phase"] == "running"
    assert deeds_of(again) == []


def test_an_arm_of_what_was_shipped_is_answered_with_its_end() -> None:
    book = a_running()
    book.step(gone(), DUE)
    book.step(shipped(), DUE)

    again = book.step(arm(), DUE)

    assert answer_of(again)["phase"] == "ended"
    assert deeds_of(again) == []


def test_a_barred_attempt_is_never_taken() -> None:
    book = Book()
    barred = book.step(bar(), NOW)

    refused = refusal(book, arm())

    assert answer_of(barred) == {"phase": "barred"}
    assert barred[0] == effects.Remember(KEY, "barred")
    assert refused.code == "barred"


def test_an_arm_after_the_deadline_is_refused() -> None:
    refused = refusal(Book(), arm(), DEADLINE + 1)

    assert refused.code == "deadline"


def test_an_arm_on_a_full_disk_is_refused_and_forgotten() -> None:
    book = Book()

    refused = refusal(book, arm(room=False))

    assert refused.code == "full"
    assert book.attempts == {}


def test_an_arm_whose_process_cannot_be_started_is_refused_and_can_be_barred() -> None:
    book = Book()
    book.step(arm(), NOW)

    answer = answer_of(book.step(events.NotTaken(KEY, "not_found", "no such file"), NOW))

    assert (answer["ok"], answer["refused"]) == (False, "not_found")
    assert answer_of(book.step(bar(), NOW)) == {"phase": "barred"}


def test_an_older_incarnation_than_the_newest_is_refused_everything() -> None:
    book = a_parked()
    book.step(hello(8), NOW)

    asked = [arm(), bar(), stop(), renew(NOW), hello(7)]

    assert {refusal(book, one).code for one in asked} == {"superseded"}
    assert refusal(book, bar()).more == {"newest": 8}


def test_a_second_hello_of_the_same_incarnation_is_welcome() -> None:
    book = Book()
    book.step(hello(8), NOW)

    again = book.step(hello(8), NOW)

    assert answer_of(again) == {"newest": 8, "other_log": False}


def test_lives_rise_with_the_incarnations_of_one_log() -> None:
    book = Book()

    lives = [answer_of(book.step(hello(each, "one"), NOW))["newest"] for each in (8, 8, 9)]

    assert lives == [8, 8, 9]
    assert refusal(book, hello(8, "one")).code == "superseded"


def test_a_log_that_begins_anew_is_newer_than_all_of_the_one_that_was_lost() -> None:
    book = Book()
    book.step(hello(1_000, "lost"), NOW)

    first = answer_of(book.step(hello(3, "new"), NOW))
    second = answer_of(book.step(hello(9, "new"), NOW))

    assert first == {"newest": 1_001, "other_log": True}
    assert second == {"newest": 1_007, "other_log": False}
    assert refusal(book, hello(3, "new")).code == "superseded"
    assert refusal(book, stop(incarnation=1_000)).code == "superseded"


def test_an_earlier_log_is_returned_to_only_by_a_life_that_it_has_not_seen() -> None:
    book = Book()
    book.step(hello(1_000, "one"), NOW)
    book.step(hello(3, "other"), NOW)

    stale = refusal(book, hello(1_000, "one"))
    back = answer_of(book.step(hello(1_001, "one"), NOW))

    assert (stale.code, stale.more) == ("superseded", {"newest": 1_001})
    assert back == {"newest": 1_002, "other_log": True}
    assert refusal(book, hello(3, "other")).code == "superseded"


def test_lives_are_read_back_with_their_logs_and_from_before_logs_had_names() -> None:
    book, again, before = Book(), Lives(), Lives()
    book.step(hello(1_000, "lost"), NOW)
    book.step(hello(3, "new"), NOW)

    again.read(book.lives.kept())
    before.read({"newest": 1_000})

    assert not again.greet("new", 4)
    assert again.newest == 1_002
    assert not before.greet("new", 4)
    assert before.newest == 1_001


def test_the_newest_incarnation_is_kept_before_it_is_answered() -> None:
    done = Book().step(hello(8), NOW)

    assert [type(effect) for effect in done] == [effects.KeepCounters, effects.Answer]


def test_a_bar_closes_the_gate_of_a_parked_attempt() -> None:
    book = a_parked()

    done = book.step(bar(sentence="disabled"), NOW)

    assert deeds_of(done) == [effects.Close]
    assert note_of(done, "not_started") == {
        "step": "not_started",
        "why": "withdrawn",
        "sentence": "disabled",
    }
    assert answer_of(done) == {"phase": "barred"}
    assert answer_of(book.step(bar(), NOW)) == {"phase": "barred"}


def test_a_bar_still_withdraws_what_is_noted_to_be_let_go() -> None:
    book = a_releasing()

    done = book.step(bar(), DUE - 1)

    assert deeds_of(done) == [effects.Close]
    assert book.step(events.Tick(), DUE) == []


def test_a_bar_leaves_alone_what_runs_or_has_ended() -> None:
    book = a_running()

    running = book.step(bar(), DUE)
    book.step(gone(), DUE)
    ended = book.step(bar(), DUE)

    assert running == [effects.Answer("bar", phase="running")]
    assert ended == [effects.Answer("bar", phase="ended")]


def test_a_bar_that_cannot_be_noted_is_refused_as_full() -> None:
    book = a_parked()

    assert refusal(Book(), bar(room=False)).code == "full"
    assert refusal(book, bar(room=False)).code == "full"
    assert book.attempts[KEY].phase.value == "parked"


def test_a_stop_of_what_has_not_begun_bars_it() -> None:
    book = a_parked()

    done = book.step(stop(), NOW)

    assert answer_of(done) == {"phase": "barred"}
    assert steps_of(done) == ["not_started"]


def test_a_stop_asks_then_kills_when_the_grace_is_over() -> None:
    book = a_running(grace_ms=2_000)

    asked = book.step(stop(sentence="stopped by anna"), DUE + SECOND)
    early = book.step(events.Tick(), DUE + 2 * SECOND)
    late = book.step(events.Tick(), DUE + 3 * SECOND)

    assert deeds_of(asked) == [effects.Terminate]
    assert note_of(asked, "stop_asked")["sentence"] == "stopped by anna"
    assert early == []
    assert deeds_of(late) == [effects.Kill]


def test_a_stop_without_a_grace_leaves_the_grace_that_was_armed() -> None:
    book = a_running(grace_ms=2_000)

    asked = book.step(stop(grace_ms=None), DUE)
    late = book.step(events.Tick(), DUE + 2 * SECOND)

    assert deeds_of(asked) == [effects.Terminate]
    assert book.attempts[KEY].stop == "asked"
    assert deeds_of(late) == [effects.Kill]


def test_a_stop_without_any_grace_leaves_ten_seconds() -> None:
    book = a_running()

    book.step(stop(grace_ms=None), DUE)

    assert book.attempts[KEY].kill_at == DUE + 10 * SECOND


def test_a_second_stop_can_only_shorten_the_grace() -> None:
    book = a_running(grace_ms=60_000)
    book.step(stop(), DUE)

    again = book.step(stop(grace_ms=1_000, reason="replaced"), DUE)
    killed = book.step(events.Tick(), DUE + SECOND)

    assert steps_of(again) == []
    assert deeds_of(killed) == [effects.Kill]
    assert book.attempts[KEY].stop == "asked"


def test_a_daemon_is_numbered_and_lives_once() -> None:
    book = Book()
    first = book.step(events.Arm("arm", daemon()), NOW)
    book.step(events.Taken((DAEMON, 1), "/runs/mill", 4711, 99), NOW)

    refused = refusal(book, events.Arm("arm", daemon()))

    assert take_of(first).key == (DAEMON, 1)
    assert refused.code == "alive"
    assert refused.more["held"] == book.attempts[DAEMON, 1].held()


def test_the_next_life_of_a_daemon_has_the_next_number() -> None:
    book = Book()
    book.step(events.Arm("arm", daemon()), NOW)
    book.step(events.Taken((DAEMON, 1), "/runs/mill", 4711, 99), NOW)
    book.step(events.Gone((DAEMON, 1), 256), NOW)

    second = book.step(events.Arm("arm", daemon()), NOW)

    assert take_of(second).key == (DAEMON, 2)


def test_a_stop_of_attempt_0_finds_the_life_of_a_daemon() -> None:
    book = Book()
    book.step(events.Arm("arm", daemon()), NOW)
    book.step(events.Taken((DAEMON, 1), "/runs/mill", 4711, 99), NOW)
    book.step(events.Tick(), NOW)
    book.step(events.Synced(), NOW)
    book.step(events.Tick(), NOW)

    done = book.step(stop(run=DAEMON, attempt=0), NOW)

    assert answer_of(done) == {"phase": "stopping"}
    assert answer_of(Book().step(stop(run=DAEMON, attempt=0), NOW)) == {"phase": "ended"}


def test_what_lives_cannot_be_shipped() -> None:
    assert refusal(a_parked(), shipped()).code == "busy"
    assert refusal(Book(), shipped()).code == "unknown"


def test_shipping_twice_is_harmless() -> None:
    book = a_running()
    book.step(gone(), DUE)

    first = book.step(shipped(), DUE)
    second = book.step(shipped(), DUE)

    assert first == [
        effects.Remember(KEY, "shipped"),
        effects.Discard(KEY),
        effects.Answer("shipped"),
    ]
    assert second == [effects.Answer("shipped")]


def test_the_shim_does_not_end_while_a_script_lives() -> None:
    refused = refusal(a_running(), end(), DUE)

    assert (refused.code, refused.sentence) == ("busy", "1 script lives")


def test_ending_with_scripts_waits_for_the_last_of_them() -> None:
    book = a_running()

    asked = book.step(end(with_scripts=True), DUE)
    ended = book.step(gone(15), DUE)

    assert deeds_of(asked) == [effects.Terminate]
    assert ended[-2:] == [effects.Answer("end"), effects.Quit()]
    assert refusal(book, arm(attempt=2)).code == "no_room"


def test_an_idle_shim_ends_at_once() -> None:
    assert Book().step(end(), NOW) == [effects.Answer("end"), effects.Quit()]

"""How a new version of a daemon comes to its hosts, one after the other, and back if it fails."""

from datetime import timedelta
from typing import Any

import msgspec

from kirby.core.leader.editions import assigned, name_of
from kirby.core.leader.rollout_words import RollOutState, told_of
from kirby.core.names import ContextKey, Host
from kirby.core.nouns import Definition, Variable
from kirby.core.records import (
    DaemonOffer,
    Instance,
    InstanceState,
    RestartRequest,
    decode,
    encode,
)
from kirby.core.records.record import TopicName
from tests.builders.leader import NOON, World, a_definition, at

FEED = ContextKey("feed/prod")
HOSTS = "alpha beta gamma"
OLD, NEW, NEWER = "feed==1.9", "feed==2.0", "feed==2.1"
PROBATION = 60


def a_feed(package: str = OLD, **fields: Any) -> Definition:
    return a_definition(FEED, kind="daemon", package=package, **fields)


class Daemons:
    """A daemon on three hosts, and hosts that do what they are told."""

    def __init__(self, **fields: Any) -> None:
        self.world = World(a_feed(**fields), start=-5, hosts=HOSTS)
        self.seconds = -4.0
        self.attempts = dict.fromkeys(HOSTS.split(), 1)
        self.broken: dict[str, dict[str, Any]] = {}  # how a version fares, by package
        self.on: dict[str, str] = {}
        self.looks(0)

    @property
    def offer(self) -> DaemonOffer:
        found = self.world.ledger.books[FEED].posted
        assert found is not None
        return found

    def applies(self, package: str, **fields: Any) -> None:
        self.world.ledger.define(a_feed(package, **fields), at(self.seconds))
        self.looks(0)

    def looks(self, seconds: float, silent: str = "") -> None:
        """Let time pass, have the hosts follow their offers, and the leader decide."""
        self.seconds += seconds
        for _ in range(2):
            for host in HOSTS.split():
                if host not in silent:
                    self._beats(host)
            self.world.places(self.seconds, FEED)

    def _beats(self, host: str) -> None:
        edition = assigned(self.offer).get(Host(host))
        if edition is None:
            self.on.pop(host, None)
            self.world.hears(host)
            return
        name = name_of(edition)
        if self.on.get(host) != name:
            self.attempts[host] += 1
            self.on[host] = name
        told: dict[str, Any] = {
            "state": InstanceState.RUNNING,
            "attempt": self.attempts[host],
            "edition": name,
            "wanted": name,
            **self.broken.get(edition.plan.package, {}).get(host, {}),
        }
        instance = Instance(context=FEED, **told)
        self.world.hears(host, f"{FEED}#{host}", daemons=FEED, instances=(instance,))

    def runs(self) -> list[str]:
        """Return the version of each host, by host."""
        editions = assigned(self.offer)
        return [editions[Host(host)].plan.package for host in HOSTS.split() if host in editions]

    def says(self) -> str:
        return told_of(self.offer).sentence


CRASHING = {
    "state": InstanceState.CRASH_LOOP,
    "edition": "",
    "in_a_row": 5,
    "last_end": "exit status 1",
}


def test_a_new_version_comes_to_one_host_first() -> None:
    daemons = Daemons()

    daemons.applies(NEW)

    assert daemons.runs() == [NEW, OLD, OLD]
    assert daemons.says() == "rolling out 2.0: 1 of 3 hosts, watching alpha until 12:00:56 UTC"


def test_the_next_host_has_it_when_the_last_one_has_run_it_for_the_probation() -> None:
    daemons = Daemons()
    daemons.applies(NEW)

    daemons.looks(PROBATION - 1)
    before = daemons.runs()
    daemons.looks(1)

    assert before == [NEW, OLD, OLD]
    assert daemons.runs() == [NEW, NEW, OLD]


def test_a_roll_out_ends_when_the_last_host_has_proved_it() -> None:
    daemons = Daemons()
    daemons.applies(NEW)

    for _ in range(3):
        daemons.looks(PROBATION)

    assert daemons.runs() == [NEW, NEW, NEW]
    assert (daemons.offer.roll_out, daemons.offer.earlier, daemons.says()) == (None, (), "")


def test_a_host_that_ends_and_begins_again_is_watched_anew() -> None:
    daemons = Daemons()
    daemons.applies(NEW)
    daemons.looks(PROBATION - 1)

    daemons.attempts["alpha"] += 1
    daemons.looks(1)
    daemons.looks(PROBATION - 1)
    watched_anew = daemons.runs()
    daemons.looks(1)

    assert watched_anew == [NEW, OLD, OLD]
    assert daemons.runs() == [NEW, NEW, OLD]


def test_a_crash_loop_takes_every_host_back_and_says_why() -> None:
    daemons = Daemons()
    daemons.broken[NEW] = {"beta": CRASHING}
    daemons.applies(NEW)

    daemons.looks(PROBATION)
    daemons.looks(1)

    assert daemons.runs() == [OLD, OLD, OLD]
    assert daemons.says() == (
        "went back to 1.9: on beta 2.0 ended 5 times in a row, the last time: exit status 1"
    )


def test_a_host_that_proved_it_and_fails_later_takes_every_host_back_as_well() -> None:
    daemons = Daemons()
    daemons.applies(NEW)
    daemons.looks(PROBATION)

    daemons.broken[NEW] = {"alpha": CRASHING}
    daemons.looks(1)

    assert daemons.runs() == [OLD, OLD, OLD]


def test_a_version_that_cannot_be_installed_takes_every_host_back() -> None:
    daemons = Daemons()
    daemons.broken[NEW] = {"alpha": {"edition": "old", "failed": "feed==2.0 has no main module"}}

    daemons.applies(NEW)

    assert daemons.runs() == [OLD, OLD, OLD]
    assert daemons.says() == (
        "went back to 1.9: on alpha 2.0 cannot be installed: feed==2.0 has no main module"
    )


def test_a_life_that_ends_again_and_again_without_a_crash_loop_has_failed_too() -> None:
    daemons = Daemons()
    daemons.applies(NEW)

    for _ in range(5):
        daemons.attempts["alpha"] += 1
        daemons.looks(PROBATION - 1)

    assert daemons.runs() == [OLD, OLD, OLD]
    assert "ended 5 times while it was being watched" in daemons.says()


def test_a_refused_version_is_not_tried_again_until_the_definition_changes() -> None:
    daemons = Daemons()
    daemons.broken[NEW] = {"alpha": CRASHING}
    daemons.applies(NEW)
    daemons.looks(1)
    del daemons.broken[NEW]

    daemons.looks(600)
    daemons.applies(NEW, about="nothing that a script would notice")
    still = daemons.runs()
    daemons.applies(NEWER)

    assert still == [OLD, OLD, OLD]
    assert daemons.runs() == [NEWER, OLD, OLD]


def test_a_refused_version_is_forgotten_when_the_definition_names_what_runs() -> None:
    daemons = Daemons()
    daemons.broken[NEW] = {"alpha": CRASHING}
    daemons.applies(NEW)
    daemons.looks(1)

    daemons.applies(OLD)

    assert (daemons.offer.refused, daemons.says()) == (None, "")


def test_a_newer_definition_supersedes_a_running_roll_out_and_goes_back_to_what_proved_itself() -> (
    None
):
    daemons = Daemons()
    daemons.applies(NEW)
    daemons.looks(PROBATION)
    daemons.broken[NEWER] = {"beta": CRASHING}

    daemons.applies(NEWER)
    superseded = daemons.runs()
    daemons.looks(PROBATION)
    daemons.looks(PROBATION)

    assert superseded == [NEWER, NEW, OLD]
    assert daemons.runs() == [OLD, OLD, OLD]


def test_to_name_the_old_version_again_ends_a_roll_out_everywhere_at_once() -> None:
    daemons = Daemons()
    daemons.applies(NEW)
    daemons.looks(PROBATION)

    daemons.applies(OLD)

    assert daemons.runs() == [OLD, OLD, OLD]
    assert daemons.offer.roll_out is None


def test_changed_variables_are_rolled_out_like_a_version() -> None:
    daemons = Daemons()

    daemons.applies(OLD, variables=(Variable(name="RATE", value="2"),))

    assert len(daemons.offer.earlier[0].hosts) == 2
    assert daemons.says().startswith("rolling out a change: 1 of 3 hosts, ")


def test_a_restart_replaces_host_by_host() -> None:
    daemons = Daemons()

    request = RestartRequest(context=FEED, asked_by="ann", at=NOON)
    daemons.world.ledger.read_request(0, 0, request)
    daemons.looks(0)

    generations = {host: each.generation for host, each in assigned(daemons.offer).items()}
    assert generations == {"alpha": 1, "beta": 0, "gamma": 0}
    assert daemons.says().startswith("restarting: 1 of 3 hosts, watching alpha until ")


def test_a_restart_that_fails_stops_at_the_first_host() -> None:
    daemons = Daemons()
    request = RestartRequest(context=FEED, asked_by="ann", at=NOON)
    daemons.world.ledger.read_request(0, 0, request)
    daemons.looks(0)

    daemons.broken[OLD] = {"alpha": {**CRASHING, "wanted": name_of_main(daemons)}}
    daemons.looks(1)

    assert {each.generation for each in assigned(daemons.offer).values()} == {0}
    assert daemons.says().startswith("the restart was given up: on alpha 1.9 ended 5 times")


def name_of_main(daemons: Daemons) -> str:
    return name_of(assigned(daemons.offer)[Host("alpha")])


def test_a_watched_host_that_is_drained_makes_room_for_the_next() -> None:
    daemons = Daemons()
    daemons.applies(NEW)

    daemons.world.ledger.roster.drained = frozenset({Host("alpha")})
    daemons.looks(1)
    daemons.looks(1)

    assert daemons.runs() == [NEW, OLD]
    assert "1 of 2 hosts, watching beta" in daemons.says()


def test_a_host_that_joins_in_the_middle_begins_with_what_proved_itself() -> None:
    daemons = Daemons()
    daemons.applies(NEW)

    daemons.world.hears("delta")
    daemons.looks(0)

    assert assigned(daemons.offer)[Host("delta")].plan.package == OLD


def test_a_silent_host_proves_nothing() -> None:
    daemons = Daemons()
    daemons.applies(NEW)

    daemons.world.passes(17, heard="beta gamma")
    daemons.looks(PROBATION, silent="alpha")

    assert daemons.runs() == [NEW, OLD, OLD]


def test_another_leader_goes_on_where_the_last_one_stopped() -> None:
    daemons = Daemons()
    daemons.applies(NEW)
    daemons.looks(PROBATION)
    before = daemons.offer

    read = decode(TopicName.DAEMONS, encode(before))
    book = daemons.world.ledger.books[FEED]
    assert isinstance(read, DaemonOffer)
    book.posted, book.stands = read, None
    daemons.looks(PROBATION - 1)
    same = daemons.offer
    daemons.looks(1)

    assert msgspec.structs.replace(same, at=None) == msgspec.structs.replace(before, at=None)
    assert daemons.runs() == [NEW, NEW, NEW]


def test_an_exclusive_daemon_on_two_hosts_stays_on_two_through_a_roll_out() -> None:
    daemons = Daemons(hosts=2, exclusive=True)
    given = daemons.offer.hosts

    daemons.applies(NEW, hosts=2, exclusive=True)
    counts = []
    for _ in range(4):
        counts.append((daemons.offer.hosts, daemons.offer.leaving))
        daemons.looks(PROBATION)

    assert set(counts) == {(given, ())}
    assert set(daemons.runs()) == {NEW}


def test_a_new_daemon_is_not_rolled_out_but_begun() -> None:
    daemons = Daemons()

    assert told_of(daemons.offer).state is RollOutState.STANDING


def test_the_probation_is_what_the_leader_is_told() -> None:
    daemons = Daemons()
    daemons.world.ledger.probation = timedelta(seconds=2)
    daemons.applies(NEW)

    daemons.looks(2)

    assert daemons.runs() == [NEW, NEW, OLD]


def test_an_offer_of_an_earlier_kirby_has_no_roll_out() -> None:
    offer = Daemons().offer
    plain = msgspec.json.decode(encode(offer))
    for name in ("earlier", "roll_out", "refused", "at", "leaving"):
        del plain[name]

    read = decode(TopicName.DAEMONS, msgspec.json.encode(plain))

    assert isinstance(read, DaemonOffer)
    assert (read.earlier, read.roll_out, read.refused) == ((), None, None)


def test_what_was_gone_back_to_keeps_its_secrets_readable_when_the_key_changes() -> None:
    def secrets(ciphertext: str) -> tuple[Variable, ...]:
        return (Variable(name="TOKEN", value=f"id-1:{ciphertext}", sealed=True),)

    daemons = Daemons(variables=secrets("by the old key"))
    daemons.broken[NEW] = {"alpha": CRASHING}
    daemons.applies(NEW, variables=secrets("by the old key"))
    daemons.looks(1)

    daemons.applies(NEW, variables=secrets("by the new key"))

    assert daemons.runs() == [OLD, OLD, OLD]
    assert daemons.offer.plan.variables == secrets("by the new key")

"""What the cluster's keys make and take: seals, tokens, frames, while one follows the other."""

from datetime import UTC, datetime, timedelta

import pytest

from kirby.actors.frames import FrameRefused, Signer
from kirby.core.errors import Insecure
from kirby.core.guarding.fitting import fitting_of
from kirby.core.key_ring import KeyRing, RingKey
from kirby.core.nouns import Variable
from kirby.core.sealing import identity_of
from kirby.host.keys import ClusterKeys
from tests.builders.daemons import a_daemon_offer

NOON = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)
RUN = "pump/prod@2026-11-29T12:00:00Z"
ALPHA = "127.0.0.1:8641"
CHANGED = KeyRing(
    keys=(RingKey(secret=b"1" * 32, until=NOON + DAY), RingKey(secret=b"2" * 32, since=NOON))
)


class Cluster:
    """A cluster's keys, at an instant that a test moves."""

    def __init__(self) -> None:
        self.now = NOON - DAY
        self.keys = ClusterKeys(ring=lambda: CHANGED, now=lambda: self.now)

    def at(self, now: datetime) -> ClusterKeys:
        self.now = now
        return self.keys


@pytest.fixture
def cluster() -> Cluster:
    """Give a cluster whose key changes at noon."""
    return Cluster()


def test_tokens_of_the_old_key_are_good_for_the_grace_period(cluster):
    host, run = cluster.keys.host_token(), cluster.keys.run_token(RUN)

    within = cluster.at(NOON + DAY)
    assert within.is_host_token(host)
    assert within.is_run_token(RUN, run)

    after = cluster.at(NOON + 2 * DAY)
    assert not after.is_host_token(host)
    assert not after.is_run_token(RUN, run)
    assert after.was_host_token(host)


def test_a_run_that_is_parked_with_the_old_key_has_its_token_redacted_under_the_new_one(cluster):
    parked = cluster.keys.run_token(RUN)

    assert parked in cluster.at(NOON + 3 * DAY).run_tokens(RUN)


def test_a_page_of_before_the_change_may_be_sent_after_it(cluster):
    made = cluster.keys.csrf("cookie")

    assert cluster.at(NOON + DAY).is_csrf("cookie", made)
    assert not cluster.at(NOON + 2 * DAY).is_csrf("cookie", made)


def test_what_was_sealed_before_is_opened_afterwards(cluster):
    sealed = cluster.keys.seal("open sesame")

    assert cluster.at(NOON + 3 * DAY).open(sealed) == "open sesame"


def test_a_secret_of_an_earlier_kirby_is_opened(cluster):
    bare = cluster.keys.active.sealer.encrypt(b"open sesame").decode()

    assert cluster.keys.open(bare) == "open sesame"


def test_a_secret_of_another_cluster_is_not_opened_and_the_sentence_says_what_to_do(cluster):
    foreign = ClusterKeys.of(b"x" * 32).seal("open sesame")

    with pytest.raises(Insecure, match="kirby key take"):
        cluster.keys.open(foreign)


def test_sealing_anew_happens_once_and_opens_with_the_new_key_alone(cluster):
    sealed = cluster.keys.seal("open sesame")

    fresh = cluster.at(NOON).resealed(sealed)

    assert fresh != sealed
    assert cluster.keys.resealed(fresh) == fresh
    assert ClusterKeys.of(b"2" * 32).open(fresh) == "open sesame"


@pytest.mark.parametrize("made_by", ["this Kirby", "an earlier one"])
def test_a_secret_that_is_only_sealed_anew_replaces_no_daemon(cluster, made_by):
    sealed = cluster.keys.seal("open sesame")
    if made_by == "an earlier one":
        sealed = cluster.keys.active.sealer.encrypt(b"open sesame").decode()
    fresh = cluster.at(NOON).resealed(sealed)

    def fitting(value: str):
        variable = Variable(name="PIN", value=value, sealed=True)
        return fitting_of(a_daemon_offer(variables=(variable,)))

    assert identity_of(fresh) == identity_of(sealed)
    assert fitting(fresh) == fitting(sealed)
    assert fitting(fresh) != fitting(cluster.keys.seal("open sesame"))


def test_frames_of_both_keys_are_taken_during_the_change_and_the_old_ones_no_more_after(cluster):
    def signer(keys: ClusterKeys) -> Signer:
        return Signer(keys.frame_keys, wall=lambda: 1e9, monotonic=lambda: 5.0)

    sender = signer(ClusterKeys.of(b"1" * 32))
    receiver = signer(cluster.at(NOON + DAY))
    assert receiver.open(sender.seal(b"rise", ALPHA)[8:], {ALPHA}) == b"rise"

    cluster.at(NOON + 2 * DAY)
    with pytest.raises(FrameRefused, match="not signed with the cluster's key"):
        receiver.open(sender.seal(b"rise", ALPHA)[8:], {ALPHA})

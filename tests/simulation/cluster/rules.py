"""The rules, each with what is no longer so without it and the invariants that break then.

`by` is empty where nothing finds it: the rule is a second lock, and the page about the rules says
behind what (docs/explanation/rules-and-checkers.md).
"""

from collections.abc import Iterator

from tests.simulation.cluster import mutations, stories
from tests.simulation.cluster.history import Script

STORIES = 60  # with one script written for a rule, as many chances


MUTATIONS: dict[str, mutations.Mutation] = {
    "first claim wins": mutations.Mutation(
        rule="C4",
        without="every Runner that reads its own claim arms",
        changes=mutations.every_own_claim_wins,
        by=("I2", "I6"),
        seeds=(0,),
    ),
    "arming once": mutations.Mutation(
        rule="C4", without="a won claim is armed twice", changes=mutations.arm_twice
    ),
    "claims read from early enough": mutations.Mutation(
        rule="C1",
        without="a Runner reads claims from its own ticket on",
        changes=mutations.claims_read_too_late,
        by=("I2",),
        seeds=(5,),
    ),
    "read up before claiming": mutations.Mutation(
        rule="C1",
        without="a Runner claims before it has read up",
        changes=mutations.claims_before_all_is_read,
    ),
    "not started only when barred": mutations.Mutation(
        rule="C5",
        without="what is refused is reported without asking the shim",
        changes=mutations.not_started_unbarred,
        by=("I2", "I3", "I6"),
        seeds=(24,),
    ),
    "won means told": mutations.Mutation(
        rule="C5",
        without="an arm that went astray is not repeated",
        changes=mutations.no_repeated_arm,
        by=("I3",),
        story=stories.messages_go_astray,
    ),
    "the leader's claim is heeded": mutations.Mutation(
        rule="C6",
        without="Runners pass over the leader's claims",
        changes=mutations.stops_go_unread,
        story=stories.people_stop_what_runs,
        by=("C6",),
    ),
    "ends listed until acknowledged": mutations.Mutation(
        rule="L1",
        without="a heartbeat does not list what has ended",
        changes=mutations.ended_not_listed,
        story=stories.runners_come_and_go,
        by=("I3", "I6", "E2"),
    ),
    "won is listed": mutations.Mutation(
        rule="L1",
        without="a heartbeat lists only what the shim has",
        changes=mutations.won_not_listed,
    ),
    "heartbeats only with a shim": mutations.Mutation(
        rule="L1",
        without="a Runner without a shim sends heartbeats",
        changes=mutations.beats_without_a_shim,
        by=("I3", "I6"),
        seeds=(9,),
    ),
    "the shim's memory is on the disk": mutations.Mutation(
        rule="shim",
        without="a new shim knows no attempt whose folder is gone",
        changes=mutations.memory_of_a_shim_only,
        story=stories.shims_die_while_runners_sleep,
        by=("I2",),
    ),
    "older incarnations are refused": mutations.Mutation(
        rule="L5",
        without="the shim obeys a Runner that was superseded",
        changes=mutations.older_runners_heard,
        by=("I3", "I6"),
        seeds=(15,),
    ),
    "releasing counts as begun": mutations.Mutation(
        rule="shim",
        without="a new shim calls what was being released not started",
        changes=mutations.releasing_not_begun,
        by=("I3",),
        seeds=(3,),
    ),
    "killed when the lease ends": mutations.Mutation(
        rule="L6",
        without="an exclusive script outlives its lease",
        changes=mutations.no_kill_at_lease_end,
        story=stories.a_host_is_cut_off,
        by=("I6",),
    ),
    "the lease runs from the sending": mutations.Mutation(
        rule="L6",
        without="the lease ends 10 s later",
        changes=mutations.lease_from_acknowledgement,
        story=stories.a_host_is_cut_off,
        by=("I6",),
    ),
    "killed before renewal": mutations.Mutation(
        rule="L6",
        without="a lapsed lease is renewed first",
        changes=mutations.renewal_before_kill,
    ),
    "exclusive dies with the shim": mutations.Mutation(
        rule="L6",
        without="an exclusive script outlives its shim",
        changes=mutations.exclusive_outlives_its_shim,
        story=stories.a_host_loses_shim_and_kirby,
        by=("I6",),
    ),
    "the last look": mutations.Mutation(
        rule="S2",
        without="deadline and lease are not looked at before the release",
        changes=mutations.no_last_look,
        story=stories.a_shim_sleeps_past_deadlines,
        by=("I4",),
    ),
    "clock offset": mutations.Mutation(
        rule="S1",
        without="every host takes its own clock for the broker's",
        changes=mutations.no_clock_offset,
        by=("I4",),
        seeds=(85,),
    ),
    "fencing": mutations.Mutation(
        rule="fencing",
        without="Kafka takes what a deposed leader writes",
        changes=mutations.no_fencing,
        by=("I1", "I3", "I5", "I7"),
        seeds=(11,),
    ),
    "ends taken after the fencing": mutations.Mutation(
        rule="step 4",
        without="a new leader reads up to ends that it asked for before (and no gate holds it up)",
        changes=mutations.ends_before_fencing,
        story=stories.leaders_depose_each_other,
        by=("I1", "I3", "I5"),
    ),
    "what the cursor names is read": mutations.Mutation(
        rule="step 4",
        without="a new leader reads claims and runs from their ends on",
        changes=mutations.nothing_named_is_read,
        by=("I3",),
        seeds=(0,),
    ),
    "ends and offers with the cursor": mutations.Mutation(
        rule="O1",
        without="the cursor is written first, the rest in a second transaction",
        changes=mutations.cursor_first,
        by=("I3", "I5"),
    ),
    "the cursor with the offers": mutations.Mutation(
        rule="O1, O3",
        without="the cursor is written last, in a second transaction",
        changes=mutations.cursor_last,
        by=("I1", "I3"),
    ),
    "no overlap": mutations.Mutation(
        rule="O4",
        without="a fire is offered while a run is open",
        changes=mutations.no_overlap_rule,
        by=("I6",),
    ),
    "own claims are read back": mutations.Mutation(
        rule="C7",
        without="the leader ends what it has claimed without reading its claim back",
        changes=mutations.ends_unread_claims,
        story=stories.what_is_claimed_is_suspended,
        by=("I3",),
    ),
    "silence": mutations.Mutation(
        rule="L2",
        without="no host is ever lost by silence",
        changes=mutations.silence_counts_not,
        story=stories.a_host_never_comes_back,
        by=("I3",),
    ),
    "gap": mutations.Mutation(
        rule="L2",
        without="a silence of all counts against each",
        changes=mutations.no_gap_rule,
    ),
    "margin": mutations.Mutation(
        rule="L2",
        without="a host is lost as soon as its lease ends",
        changes=mutations.no_margin,
        seeds=(26,),
        by=("I3",),
    ),
    "superseded": mutations.Mutation(
        rule="L3",
        without="a claim of an earlier life is waited for, for ever",
        changes=mutations.superseded_counts_not,
        by=("I3",),
        seeds=(14,),
    ),
    "watermark": mutations.Mutation(
        rule="L3",
        without="a superseded claim is judged before the runs topic was read",
        changes=mutations.no_watermark,
        story=stories.runners_come_and_go,
        by=("I3", "E2"),
    ),
    "high watermark": mutations.Mutation(
        rule="L3",
        without="the last stable offset is taken for it",
        changes=mutations.stable_watermark,
    ),
    "another state folder": mutations.Mutation(
        rule="L4",
        without="a superseded claim never began, also on a wiped host",
        changes=mutations.same_folder_unasked,
        by=("I3",),
        story=stories.hosts_lose_their_disks,
    ),
    "the same state folder": mutations.Mutation(
        rule="L4",
        without="a superseded claim is lost, also where it never began",
        changes=mutations.every_superseded_is_lost,
        story=stories.runners_come_and_go,
        by=("L4",),
    ),
    "old heartbeats": mutations.Mutation(
        rule="L3",
        without="a superseded Runner's heartbeats count as the host's word",
        changes=mutations.old_heartbeats_count,
    ),
    "slots spent once": mutations.Mutation(
        rule="O5",
        without="a heartbeat's slots are offered again and again",
        changes=mutations.slots_never_spent,
    ),
    "coup gate": mutations.Mutation(
        rule="step 3",
        without="a candidate tries while another's beats are read",
        changes=mutations.gate_always_open,
    ),
    "the first deadline": mutations.Mutation(
        rule="E3",
        without="a refused fire is offered again without end",
        changes=mutations.refusals_forget_deadline,
        story=stories.disks_are_full,
        by=("E3",),
    ),
    "the cursor never goes back": mutations.Mutation(
        rule="P1",
        without="an edit begins a little before the cursor",
        changes=mutations.considered_goes_by_the_clock,
        by=("I1", "I3", "I7"),
    ),
    "tokens rise": mutations.Mutation(
        rule="O3",
        without="the counter is not carried on",
        changes=mutations.tokens_stand_still,
        by=("I1",),
    ),
    "absences are kept": mutations.Mutation(
        rule="P1",
        without="the time in which a context was disabled is caught up with",
        changes=mutations.absences_forgotten,
        story=stories.a_context_is_disabled_and_comes_back,
        by=("P1",),
    ),
    "attempts are counted": mutations.Mutation(
        rule="E2",
        without="a failure is always followed by an attempt",
        changes=mutations.attempts_without_end,
        by=("E2",),
    ),
    "requests are known": mutations.Mutation(
        rule="offer",
        without="a run that was asked for twice is opened twice",
        changes=mutations.doubled_requests_count,
        story=stories.requests_come_twice,
        by=("I1", "I3"),
    ),
    "time that never jumps": mutations.Mutation(
        rule="S1, L6",
        without="the shim counts by the wall clock",
        changes=mutations.shims_by_the_wall_clock,
        story=stories.a_clock_goes_back_while_a_host_is_cut_off,
        by=("I4", "I6"),
    ),
    "only the holder tells": mutations.Mutation(
        rule="E1",
        without="what a copied machine tells of another's attempt counts",
        changes=mutations.anybodys_word_counts,
        story=stories.machines_are_copied,
        by=("I2", "I3", "I6"),
    ),
    "moves take two steps": mutations.Mutation(
        rule="daemons",
        without="a daemon is named on its new host before it has ended on the old one",
        changes=mutations.moves_at_once,
        story=stories.a_daemon_is_moved,
        by=("I9",),
    ),
    "absences are believed late": mutations.Mutation(
        rule="daemons",
        without="a heartbeat without the daemon counts, though its host had not read the offer",
        changes=mutations.absences_believed,
        story=stories.a_daemon_is_moved_while_arbiters_come_and_go,
        by=("I9",),
    ),
    "a lapsed lease is asked about": mutations.Mutation(
        rule="daemons, L6",
        without="an exclusive daemon begins again by the offer that was read before the silence",
        changes=mutations.lease_not_asked_about,
        story=stories.a_daemons_host_is_cut_off,
        by=("I9",),
    ),
}

# Those that nearly every history finds: tried with the tests that everybody runs.
QUICK = (
    "first claim wins",
    "tokens rise",
    "what the cursor names is read",
    "the cursor never goes back",
    "silence",
    "the last look",
    "absences are kept",
    "only the holder tells",
    "requests are known",
    "the same state folder",
    "moves take two steps",
)


def histories_of(
    mutation: mutations.Mutation, most: int, stories_at_most: int = STORIES
) -> Iterator[tuple[int, Script | None]]:
    """Return the histories that may break without a rule, the likeliest first."""
    if mutation.story is not None:
        yield from ((seed, mutation.story()) for seed in range(stories_at_most))
    yield from ((seed, None) for seed in mutation.seeds)
    yield from ((seed, None) for seed in range(most) if seed not in mutation.seeds)

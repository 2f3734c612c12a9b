"""Every check of this suite fails when what it guards is switched off: the suite can bite.

Run by its name (`make test-faults-bite`); a run of the folder doesn't collect it.
"""

from collections.abc import Awaitable, Callable

import pytest

from tests.faults import (
    test_asking,
    test_database,
    test_files,
    test_history,
    test_kills,
    test_model,
    test_restarts,
    test_shown,
    test_tools,
    test_viewers,
    test_waiting,
    test_zombies,
)
from tests.faults.conftest import Bench
from tests.faults.stand import Stand

Check = Callable[[Stand], Awaitable[None]]

_COPIES = test_asking.test_ten_copies_of_a_request_are_one_turn_and_ten_whole_streams
_FILES = test_files.test_a_kill_between_bytes_and_row_leaves_neither_without_the_other
_STOP = test_asking.test_a_stop_at_another_replica_ends_the_model_call_and_keeps_what_was_shown
_ZOMBIE = test_zombies.test_a_replica_that_comes_back_after_its_lease_writes_nothing
_BETWEEN = test_zombies.test_one_that_comes_back_while_it_is_being_taken_over_writes_nothing
_KILLS = test_kills.test_an_answer_whose_replica_is_killed_is_told_as_interrupted_everywhere
_SHOWN = test_shown.test_what_a_killed_replica_has_shown_is_kept_in_its_last_state
_HOPS = test_viewers.test_a_viewer_who_changes_replicas_misses_nothing_and_sees_nothing_twice
_COMMITS = test_database.test_a_lost_answer_to_a_commit_doubles_and_loses_nothing
_TOOLS = test_tools.test_a_tool_runs_at_most_once_and_never_without_a_record
_WAITING = test_waiting.test_what_waits_for_a_person_outlives_its_replica_and_runs_once

CHANCES = 5

BITES: list[tuple[str, Check, float]] = [
    ("finish takes the tail along", _HOPS, 0.05),
    ("going on where one was", _HOPS, 0.05),
    ("a lease passes", _KILLS, 0.1),
    ("durable before visible", _KILLS, 0.2),
    ("durable before visible", _SHOWN, 1),
    ("a widget is kept as it was last seen", _SHOWN, 0.5),
    ("readers meet lost turns", test_kills.test_who_only_reads_sees_it_too, 1),
    ("the fence of the journal", _ZOMBIE, 0.5),
    ("the fence of finish", _ZOMBIE, 0.5),
    ("the epoch is raised", _BETWEEN, 1),
    ("the key of a request", _COPIES, 0.1),
    (
        "one turn at a time",
        test_asking.test_of_two_questions_at_once_one_is_answered_and_one_refused,
        0.2,
    ),
    (
        "a stop is heard",
        test_asking.test_a_question_that_interrupts_stops_the_answer_and_is_answered,
        0.1,
    ),
    ("a stop is heard", _STOP, 0.2),
    ("a stop ends the model's call", _STOP, 0.2),
    ("the key of a request", _TOOLS, 0.2),
    ("a call is kept before it runs", _TOOLS, 0.4),
    ("a call that nobody saw end is unknown", _TOOLS, 0.4),
    ("one answer counts", test_waiting.test_of_three_clicks_on_two_replicas_one_counts, 0.4),
    (
        "what is asked is withdrawn first",
        test_waiting.test_a_message_withdraws_what_is_asked_before_it_is_answered,
        0.4,
    ),
    ("that a turn goes on is kept before its calls run", _WAITING, 0.5),
    ("the fence of the journal", _WAITING, 0.5),
    ("finish is harmless to repeat", _COMMITS, 0.2),
    ("begin is harmless to repeat", _COMMITS, 0.2),
    (
        "a lost connection is tried again",
        test_database.test_turns_outlive_an_outage_of_the_database,
        0.2,
    ),
    ("skip locked", test_database.test_a_turn_that_is_locked_stalls_no_other, 1),
    (
        "it starts without a database",
        test_database.test_a_replica_heals_by_itself_after_an_outage,
        1,
    ),
    (
        "statements have a limit",
        test_database.test_a_request_never_waits_long_for_a_silent_database,
        1,
    ),
    ("a file's bytes come before its row says so", _FILES, 1),
    ("a file's bytes go before its row", _FILES, 1),
    ("half a stream is noticed", test_model.test_half_an_answer_is_never_kept_as_whole, 0.1),
    (
        "dead readers are dropped",
        test_viewers.test_sockets_that_nobody_reads_slow_nobody_and_are_dropped,
        0.1,
    ),
    (
        "answers may end before a server does",
        test_restarts.test_a_rolling_restart_loses_no_answer,
        0.2,
    ),
    (
        "time is the database's",
        test_restarts.test_wrong_clocks_reap_nothing_and_change_no_order,
        0.6,
    ),
]


@pytest.mark.parametrize(("patch", "check", "scale"), BITES)
async def test_the_check_fails_without(
    patch: str, check: Check, scale: float, bench: Bench
) -> None:
    async with bench.stand(scale=scale, patch=patch) as stand:
        with pytest.raises(AssertionError) as failure:
            await check(stand)
        stand.promised(f"without: {patch}", "", check.__name__, _first_line(failure.value))


async def test_the_history_is_broken_without_keys(bench: Bench) -> None:
    # it is chance whether a kill hits between a commit and its answer
    for _ in range(CHANCES):
        try:
            await test_history.minute_of_crashes(bench, scale=0.4, patch="the key of a request")
        except AssertionError as failure:
            # or a client waits for ever for a turn that it began and knows nothing of
            if not any(word in str(failure) for word in ("asked twice", "stuck at")):
                raise
            return
    pytest.fail("The history was whole without keys.")


def _first_line(failure: BaseException) -> str:
    return str(failure).partition("\n")[0][:100]

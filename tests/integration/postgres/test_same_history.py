"""The memory store and Postgres agree on every random history.

`TEST_ROUNDS` multiplies the number of histories.
"""

import asyncio
import os

from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.integration.postgres.waiting_history import WaitingHistory
from tests.postgres import engine_on

HISTORIES = 50 * int(os.environ.get("TEST_ROUNDS", "1"))


def test_both_stores_answer_and_keep_the_same_whatever_happens(fresh_database: str) -> None:
    engine = engine_on(fresh_database)
    # the machine's steps are no coroutines: they run what they ask on a loop of their own
    with asyncio.Runner(loop_factory=asyncio.new_event_loop) as runner:
        try:
            run_state_machine_as_test(
                lambda: WaitingHistory(runner, engine),
                settings=settings(
                    max_examples=HISTORIES,
                    stateful_step_count=40,
                    derandomize=True,
                    database=None,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(engine.dispose())

"""What is switched off, one mechanism at a time, to see the check that guards it fail.

`IN_REPLICA` changes a replica's process before it serves; `IN_DATABASE` changes the functions and
indexes of a check's database. A patch whose mark is no longer in the code fails by itself.
"""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from importlib.resources import files
from typing import Any

import asyncpg

from chatbridge.adapters.postgres.statements import in_schema

IN_REPLICA: dict[str, Callable[[], None]] = {}
IN_DATABASE: dict[str, tuple[tuple[str, str, str], ...]] = {
    "the fence of finish": (
        ("finish_turn_1", "if v_turn.epoch <> p_epoch then return 'lost'; end if;", ""),
        ("finish_turn_1", "if v_turn.state <> 'running' then return v_turn.state; end if;", ""),
    ),
    "the epoch is raised": (("claim_stale_turn_1", "set epoch = t.epoch + 1,", "set"),),
    "one turn at a time": (("begin_turn_1", "when found then 'busy'", ""),),
    "finish is harmless to repeat": (
        ("finish_turn_1", "if v_turn.state <> 'running' then return v_turn.state; end if;", ""),
    ),
    "begin is harmless to repeat": (
        ("begin_turn_1", "(t.id = p_turn or t.key = p_key)", "t.key = p_key"),
    ),
    "the fence of the journal": (
        ("keep_turns_1", " and t.epoch = a.epoch\n", "\n"),
        ("keep_turns_1", "and t.ended_at is null", ""),
    ),
    "skip locked": (("keep_turns_1", "for update of t skip locked", "for update of t"),),
    "a stop is heard": (("keep_turns_1", "case when h.cancel_asked then", "case when false then"),),
    "one answer counts": (
        ("answer_turn_1", "when v_turn.state <> 'waiting' or v_last <> p_after then 'changed'", ""),
        ("answer_turn_1", "p_after + e.n, e.event", "v_last + e.n, e.event"),
    ),
    "what is asked is withdrawn first": (
        ("begin_turn_1", "state = 'waiting' then 'waiting'", "state = 'waiting' then 'started'"),
    ),
    "finish takes the tail along": (
        ("finish_turn_1", "p_events) e (number, event)", "p_events) e (number, event) where false"),
    ),
}
_NO_IDS = "alter table chatbridge.messages drop constraint messages_by_id cascade"
_ALSO = {
    # a message is kept once even without the fence, by its id
    "the fence of finish": _NO_IDS,
    "finish is harmless to repeat": _NO_IDS,
    "one turn at a time": "drop index chatbridge.turns_one_running",
}


def apply(name: str) -> None:
    """Switch a mechanism off in this process, as far as it is in the process."""
    if name not in IN_DATABASE:
        IN_REPLICA[name]()


async def apply_to(sql: asyncpg.Pool, name: str) -> None:
    """Switch it off in a database, as far as it is there."""
    changes = IN_DATABASE.get(name, ())
    for function in {function for function, _, _ in changes}:
        marks = [(mark, instead) for of, mark, instead in changes if of == function]
        await sql.execute(_changed(function, marks))
    if statement := _ALSO.get(name):
        await sql.execute(statement)


def _changed(function: str, marks: list[tuple[str, str]]) -> str:
    text = _text(function)
    for mark, instead in marks:
        text = _replaced(text, mark, instead)
    return in_schema(_replaced(text, "create function", "create or replace function"), "chatbridge")


def _text(function: str) -> str:
    place = files("chatbridge.adapters.postgres.migrations.functions")
    return place.joinpath(f"{function}.sql").read_text()


def _replaced(text: str, mark: str, instead: str) -> str:
    if mark not in text:
        raise RuntimeError(f"there is no {mark!r} any more: this patch does nothing")
    return text.replace(mark, instead)


def _patch(name: str) -> Callable[[Callable[[], None]], Callable[[], None]]:
    def keep(switch_off: Callable[[], None]) -> Callable[[], None]:
        IN_REPLICA[name] = switch_off
        return switch_off

    return keep


def _set(owner: Any, **new: Any) -> None:
    for name, value in new.items():
        if not hasattr(owner, name):
            raise RuntimeError(f"there is no {name} any more: this patch does nothing")
        setattr(owner, name, value)


@_patch("time is the database's")
def _() -> None:
    from chatbridge.adapters.postgres import turn_journal

    _, body = _text("keep_turns_1").split("return query\n")
    # renewed at each tick, so that a wrong clock is seen at once
    seldom = (
        "\n        and h.lease_until < clock_timestamp() + make_interval(secs => p_lease * 0.8)"
    )
    body = _replaced(body, seldom, "").partition(";\nend")[0]
    for name, given in {"turns": "json", "events": "json", "lease": "double precision"}.items():
        body = _replaced(body, f"p_{name}", f"cast(:{name} as {given})")

    async def rows(self: Any, template: str, **parameters: Any) -> Any:
        if template == turn_journal._KEEP:
            here = f"to_timestamp({time.time()})"
            template = body.replace("clock_timestamp()", here)
        return await real(self, template, **parameters)

    real = turn_journal.Statements.rows
    _set(turn_journal.Statements, rows=rows)


@_patch("a lease passes")
def _() -> None:
    os.environ["CHATBRIDGE_TURNS__LEASE"] = "3600"


@_patch("durable before visible")
def _() -> None:
    from chatbridge.domain.services.recording import Recording

    real = Recording.say

    def say(self: Recording, event: Any) -> None:
        real(self, event)
        self.seal()
        self.keep(len(self.events))

    # all of it again: what is kept already is not kept twice
    _set(Recording, say=say, tail=property(lambda self: tuple(enumerate(self.events, 1))))


@_patch("a widget is kept as it was last seen")
def _() -> None:
    from chatbridge.domain.model.transcript import Transcript
    from chatbridge.domain.model.turn_event import Changed

    real = Transcript._go_on

    def go_on(self: Transcript, event: Any) -> None:
        if not isinstance(event, Changed):
            real(self, event)

    _set(Transcript, _go_on=go_on)


@_patch("readers meet lost turns")
def _() -> None:
    from chatbridge.domain.services.turns import Turns

    async def nothing(self: Turns, *_: object) -> None: ...

    _set(Turns, close_stale=nothing, sweep=nothing)
    _nobody_sweeps()


def _nobody_sweeps() -> None:
    from chatbridge.domain.services.stale_turns import StaleTurns

    async def nothing(self: StaleTurns, *_: object) -> None: ...

    _set(StaleTurns, close=nothing, sweep=nothing)


@_patch("the key of a request")
def _() -> None:
    from chatbridge.adapters.postgres import turn_repository

    real = turn_repository.Statements.rows

    async def rows(self: Any, template: str, **parameters: Any) -> Any:
        if "key" in parameters:
            parameters["key"] = None
        return await real(self, template, **parameters)

    _set(turn_repository.Statements, rows=rows)


@_patch("a call is kept before it runs")
def _() -> None:
    from chatbridge.domain.services.recording import Recording

    async def at_once(self: Recording, call_id: str) -> None: ...

    _set(Recording, until_kept=at_once)


@_patch("a call that nobody saw end is unknown")
def _() -> None:
    from chatbridge.domain.model.transcript import Transcript

    _set(Transcript, closed=lambda self: tuple(self.messages))


@_patch("that a turn goes on is kept before its calls run")
def _() -> None:
    from chatbridge.domain.model.turn_event import TurnResumed
    from chatbridge.domain.services.answering import Answering

    real = Answering.go_on

    async def go_on(self: Any, opened: Any, answered: Any, asking: Any) -> Any:
        return await real(self, opened, (*answered, TurnResumed()), asking)

    _set(Answering, go_on=go_on)


@_patch("a lost connection is tried again")
def _() -> None:
    from chatbridge.adapters.postgres import failures
    from chatbridge.domain.services import answering

    _set(failures, _AGAIN_AFTER=())
    _set(answering, _FINISH_TRIES=0)


@_patch("it starts without a database")
def _() -> None:
    from chatbridge import running

    class Never(Exception): ...

    _set(running, Unavailable=Never)


@_patch("statements have a limit")
def _() -> None:
    from chatbridge.adapters.postgres import database_url, failures

    _set(database_url, COMMAND_SECONDS=60.0, CONNECT_SECONDS=60.0)
    _set(failures, CALL_SECONDS=60.0)


@_patch("half a stream is noticed")
def _() -> None:
    from chatbridge.adapters.openai import chat_dialect

    _set(chat_dialect, _is_good=lambda reason: True)


@_patch("a stop ends the model's call")
def _() -> None:
    from chatbridge.adapters.openai import run

    async def forgetful(self: Any) -> None: ...

    _set(run.Run, close=forgetful)


@_patch("going on where one was")
def _() -> None:
    from chatbridge.entrypoints.chatkit import threads

    real = threads.frames_after
    _set(
        threads,
        frames_after=lambda live, number, look: real(live, number + (1 if number else 0), look),
    )


@_patch("a file's bytes come before its row says so")
def _() -> None:
    from chatbridge.domain.services.attachments import Attachments

    async def receive(self: Any, new: Any, parts: Any) -> Any:
        if new.state == "awaited":
            number = await self._attempt(new)
            await self._repository.keep(new.user_id, new.id, number=number, size=new.size)
            await self._blobs.put(new.attempt(number), parts)
        return new

    _set(Attachments, receive=receive)


@_patch("a file's bytes go before its row")
def _() -> None:
    from chatbridge.domain.services.attachments import Attachments

    async def sweep(self: Any) -> int:
        for left in await self._repository.left():
            await self._repository.forget(left.user_id, left.id)
            await self._delete_bytes(left)
        return 0

    _set(Attachments, sweep=sweep)


@_patch("dead readers are dropped")
def _() -> None:
    from chatbridge.entrypoints import serving, showing

    _set(showing, _DEAD_READER=3600.0)
    _set(serving, _DEAD_PEER_MS=3_600_000)


@_patch("answers may end before a server does")
def _() -> None:
    from chatbridge import main

    real = main.run

    def run(*args: Any, **more: Any) -> None:
        async def at_once() -> None:
            os.kill(os.getpid(), signal.SIGKILL)
            await asyncio.sleep(1)

        real(*args, **{**more, "stop": at_once})

    _set(main, run=run)

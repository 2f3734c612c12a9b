"""How turns begin and end in Postgres, each by an SQL function, and how far they are."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import exists, text, update
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel import col, select

from chatbridge.adapters.postgres.approvals import approval_to_json, approvals_of
from chatbridge.adapters.postgres.rows import (
    Columns,
    changes_to_json,
    conversation_row,
    events_to_json,
    message_to_json,
    messages_to_json,
    missing,
    refusal_of,
    tail_to_json,
    to_conversation,
    to_event,
    to_message,
    usage_to_json,
)
from chatbridge.adapters.postgres.statements import Rows, Statements
from chatbridge.adapters.postgres.tables import ConversationRow, TurnRow
from chatbridge.adapters.postgres.turn_statements import (
    ANSWER,
    BEGIN,
    CLAIM,
    EVENTS_AT_ONCE,
    EXISTS,
    FINISH,
    LAST,
    OPENED,
    PROGRESS,
    RUNNING,
    STALE,
    TURN,
    WAIT,
    WITHDRAW,
    ask_cancel_of,
)
from chatbridge.domain.model import refusals
from chatbridge.domain.model.answer import goes_on
from chatbridge.domain.model.approval import StandingApproval
from chatbridge.domain.model.errors import NotFound
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.limits import MAX_PAGE
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn import Ending, Rest, Turn, TurnState
from chatbridge.domain.model.turn_event import TurnEvent
from chatbridge.ports.turn_repository import (
    Begun,
    Claimed,
    LastTurn,
    Opened,
    Progress,
    Repeated,
    TurnRepository,
    TurnRequest,
)


class PostgresTurnRepository(TurnRepository):
    """See the port. `engine` must be in AUTOCOMMIT; `lease` is in seconds."""

    def __init__(self, engine: AsyncEngine, schema: str, *, lease: float = 5.0) -> None:
        self._statements = Statements(engine, schema)
        self._lease = lease

    async def begin(
        self, request: TurnRequest, newest: int, room: int = MAX_PAGE
    ) -> Begun | Repeated:
        rows = await self._statements.rows(
            BEGIN,
            user_id=request.user_id,
            conversation_id=request.conversation_id,
            new=request.new,
            turn_id=request.turn_id,
            lease=self._lease,
            message=message_to_json(request.message) if request.message else None,
            retry_of=request.retry_of,
            newest=newest,
            room=room,
            key=request.once.key if request.once else None,
            digest=request.once.digest if request.once else None,
            model=request.model,
            by_host=request.by_host,
            about=request.about,
        )
        outcome = rows[0]["outcome"]
        if outcome not in ("started", "repeated"):
            raise refusal_of(outcome)
        begun = _begun(rows, request)
        if outcome == "repeated":
            return Repeated(turn=begun.turn)
        if request.judge:
            try:
                request.judge(begun)
            except BaseException:
                await self._statements.rows(
                    WITHDRAW, user_id=request.user_id, turn_id=request.turn_id
                )
                raise
        return begun

    async def turn(self, user_id: UserId, id: TurnId) -> Turn:
        rows = await self._statements.found(TURN, user_id=user_id, id=id)
        if not rows:
            (somebodys,) = await self._statements.found(EXISTS, id=id)
            raise refusals.turn_not_yours() if somebodys else refusals.no_turn()
        by_host, epoch, retry, conversation = rows[0]
        return Turn(
            id=id,
            conversation=to_conversation(conversation),
            epoch=epoch,
            retry=retry,
            by_host=by_host,
        )

    async def last(self, user_id: UserId, conversation_id: ConversationId) -> LastTurn | None:
        rows = await self._statements.columns(LAST, user_id=user_id, id=conversation_id)
        return LastTurn(**rows[0]) if rows else None

    async def progress(self, user_id: UserId, id: TurnId, after: int = 0) -> Progress:
        rows = await self._statements.columns(PROGRESS, user_id=user_id, id=id, after=after)
        if not rows:
            raise refusals.turn_gone()
        how_far = {name: rows[0][name] for name in ("state", "stale", "kept")}
        # no event, and still a row, where none follows
        events = tuple(to_event(id, r["number"], r["event"]) for r in rows if r["number"])
        return Progress(**how_far, events=events, more=len(events) == EVENTS_AT_ONCE)

    async def finish(self, turn: Turn, ending: Ending) -> TurnState:
        rows = await self._statements.rows(
            FINISH,
            user_id=turn.conversation.user_id,
            turn_id=turn.id,
            epoch=turn.epoch,
            state=ending.state,
            code=ending.code,
            title=ending.title,
            usage=usage_to_json(ending.usage),
            messages=messages_to_json(ending.messages),
            made=[attached.id for m in ending.messages for attached in m.carried],
            changes=changes_to_json(ending.changes),
            tail=tail_to_json(ending.tail),
        )
        return _kept_state(rows)

    async def wait(self, turn: Turn, rest: Rest) -> bool:
        rows = await self._statements.rows(
            WAIT,
            user_id=turn.conversation.user_id,
            turn_id=turn.id,
            epoch=turn.epoch,
            seconds=rest.seconds,
            title=rest.title,
            usage=usage_to_json(rest.usage),
            ended=json.dumps(rest.ended),
            tail=tail_to_json(rest.tail),
        )
        return _kept_state(rows) != "stop"

    async def opened(self, user_id: UserId, conversation_id: ConversationId) -> Opened:
        rows = await self._statements.columns(OPENED, user_id=user_id, id=conversation_id)
        if not rows:
            known = col(ConversationRow.id) == conversation_id
            mine = exists().where(col(ConversationRow.user_id) == user_id, known)
            ((is_mine, somebodys),) = await self._statements.found(
                select(mine, exists().where(known))
            )
            raise refusals.not_waiting() if is_mine else missing(somebody_elses=somebodys)
        turn = _turn(rows[0], user_id)
        events = tuple(to_event(turn.id, r["number"], r["event"]) for r in rows if r["number"])
        if len(events) == EVENTS_AT_ONCE:
            events = await self._all_events(user_id, turn.id) or ()
        return Opened(turn=turn, state=rows[0]["state"], stale=rows[0]["stale"], events=events)

    async def answer(
        self,
        opened: Opened,
        answered: tuple[TurnEvent, ...],
        *,
        standing: StandingApproval | None = None,
        newest: int = 1,
        room: int = MAX_PAGE,
    ) -> Begun | None:
        user_id = opened.turn.conversation.user_id
        rows = await self._statements.rows(
            ANSWER,
            user_id=user_id,
            turn_id=opened.turn.id,
            after=len(opened.events),
            events=events_to_json(answered),
            goes_on=goes_on(answered),
            lease=self._lease,
            newest=newest,
            room=room,
            standing=standing and approval_to_json(standing),
        )
        outcome = rows[0]["outcome"]
        if outcome == "changed":
            return None
        if outcome != "kept":
            raise refusal_of(outcome)
        messages = tuple(to_message(row) for row in rows if row["position"] is not None)
        turn = _turn(rows[0], user_id, subject=messages[-1] if rows[0]["answers"] else None)
        stands = approvals_of(rows[0]["standing"])
        return Begun(turn=turn, newest=messages, counted=rows[0]["counted"], standing=stands)

    async def claim_stale(
        self,
        user_id: UserId,
        conversation_id: ConversationId,
        ours: Collection[TurnId] = (),
        *,
        waiting: bool = False,
    ) -> Claimed | None:
        rows = await self._statements.rows(
            CLAIM,
            user_id=user_id,
            conversation_id=conversation_id,
            lease=self._lease,
            ours=list(ours),
            waiting=waiting,
        )
        if not rows:
            return None
        turn = _turn(rows[0], user_id)
        events = await self._all_events(user_id, turn.id)
        return None if events is None else Claimed(turn=turn, events=events)

    async def _all_events(self, user_id: UserId, id: TurnId) -> tuple[TurnEvent, ...] | None:
        """None where it is gone with its conversation."""
        events: list[TurnEvent] = []
        more = True
        while more:
            try:
                progress = await self.progress(user_id, id, len(events))
            except NotFound:
                return None
            events += progress.events
            more = progress.more
        return tuple(events)

    async def stale(self) -> tuple[tuple[UserId, ConversationId], ...]:
        rows = await self._statements.rows(STALE)
        return tuple((r["user_id"], r["conversation_id"]) for r in rows)

    async def abandon_running(self) -> None:
        abandoning = update(TurnRow).where(RUNNING).values(lease_until=text("'-infinity'"))
        await self._statements.changed(abandoning.returning(col(TurnRow.id)))

    async def ask_cancel(self, user_id: UserId, conversation_id: ConversationId) -> bool:
        asking = ask_cancel_of(user_id, conversation_id)
        ((asked, mine, somebodys),) = await self._statements.found(asking)
        if not mine:
            raise missing(somebody_elses=somebodys)
        return asked


def _begun(rows: Rows, request: TurnRequest) -> Begun:
    kept = [(to_message(r), r["beside"]) for r in rows if r["position"] is not None]
    newest = tuple(message for message, beside in kept if not beside)
    answers_one = request.message is not None or request.retry_of is not None
    return Begun(
        turn=_turn(rows[0], request.user_id, subject=newest[-1] if answers_one else None),
        newest=newest,
        counted=rows[0]["counted"],
        about=next((message for message, _ in kept if message.id == request.about), None),
        standing=approvals_of(rows[0]["standing"]),
    )


def _turn(row: Columns, user_id: UserId, subject: Message | None = None) -> Turn:
    return Turn(
        id=TurnId(row["turn_id"]),
        conversation=to_conversation(conversation_row(row, user_id)),
        subject=subject,
        epoch=row["epoch"],
        retry=row["retry"],
        by_host=row.get("by_host", False),
    )


def _kept_state(rows: Rows) -> Any:
    """What finish_turn_1 or wait_turn_1 answers, where the turn is still the caller's."""
    match rows[0]["state"]:
        case None:
            raise refusals.turn_gone()
        case "lost":
            raise refusals.turn_taken_over()
        case state:
            return state

"""How turns begin and end in Postgres, each by an SQL function, and how far they are."""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    Integer,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    text,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.sql.expression import Select

from chatbridge.adapters.postgres.rows import (
    Columns,
    changes_to_json,
    conversation_row,
    message_to_json,
    messages_to_json,
    missing,
    refusal_of,
    to_conversation,
    to_event,
    to_message,
    usage_to_json,
)
from chatbridge.adapters.postgres.statements import Statements
from chatbridge.adapters.postgres.tables import ConversationRow, TurnEventRow, TurnRow
from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import NotFound
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.limits import MAX_PAGE
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn import Ending, Once, Turn, TurnState
from chatbridge.domain.model.turn_event import TurnEvent, to_record
from chatbridge.ports.turn_repository import (
    Begun,
    Claimed,
    LastTurn,
    Progress,
    Repeated,
    TurnRepository,
    TurnRequest,
)

_BEGIN = """
select * from {s}.begin_turn_1(:user_id, :conversation_id, :new, :turn_id,
  cast(:lease as double precision), cast(:message as json), :retry_of, :newest,
  cast(:room as bigint), :key, :digest, :model, :by_host)"""

_USER, _ID = bindparam("user_id", type_=Text), bindparam("id", type_=Text)
_AFTER = bindparam("after", type_=Integer)

_MINE = (col(TurnRow.user_id) == _USER, col(TurnRow.id) == _ID)
_OF_CONVERSATION = (col(TurnRow.user_id) == _USER, col(TurnRow.conversation_id) == _ID)
_STATE: Mapped[TurnState] = col(TurnRow.state)
# as it is written in the indexes of running turns
_RUNNING = literal_column("'running'") == _STATE
_LEASE_PASSED = and_(_RUNNING, col(TurnRow.lease_until) < func.clock_timestamp())

_TURN = (
    select(TurnRow.by_host, TurnRow.epoch, TurnRow.retry, ConversationRow)
    .join(col(TurnRow.conversation))
    .where(*_MINE)
)

_EXISTS = select(exists().where(col(TurnRow.id) == _ID))

# a clock that was set back can name another one as the last, never as the running one
_RUNS = select(TurnRow.id).where(*_OF_CONVERSATION, _RUNNING).scalar_subquery()
_NEWEST = (
    select(TurnRow.id)
    .where(*_OF_CONVERSATION)
    .order_by(col(TurnRow.created_at).desc())
    .limit(1)
    .scalar_subquery()
)
_LAST = select(TurnRow.id, _STATE, TurnRow.retry).where(
    col(TurnRow.user_id) == _USER, col(TurnRow.id) == func.coalesce(_RUNS, _NEWEST)
)

_OF_KEY = select(TurnRow.id, TurnRow.digest).where(
    col(TurnRow.user_id) == _USER, col(TurnRow.key) == bindparam("key", type_=Text)
)

_EVENTS_AT_ONCE = 1_000
"""How many events a statement reads at most: more would hold up the loop, and those of a long turn
would take longer than a call may."""

_OF_TURN = (col(TurnEventRow.user_id) == _USER, col(TurnEventRow.turn_id) == _ID)
_FURTHER = (
    select(TurnEventRow.number, TurnEventRow.event)
    .where(*_OF_TURN, col(TurnEventRow.number) > _AFTER)
    .order_by(col(TurnEventRow.number))
    .limit(_EVENTS_AT_ONCE)
    .subquery()
)
_KEPT = exists().where(*_OF_TURN).label("kept")
_HOW_FAR: Any = select(_STATE, _LEASE_PASSED.label("stale"), _KEPT)
_PROGRESS = (
    _HOW_FAR.add_columns(*_FURTHER.c)
    .select_from(TurnRow)
    .outerjoin(_FURTHER, true())
    .where(*_MINE)
    .order_by(_FURTHER.c.number)
)

_FINISH = """
select {s}.finish_turn_1(:user_id, :turn_id, :epoch, :state, :code, :title, cast(:usage as jsonb),
  cast(:messages as json), cast(:changes as json),
  array(select (t.kept->>'number')::integer
    from json_array_elements(cast(:tail as json)) with ordinality t (kept, n) order by t.n),
  array(select t.kept->'event'
    from json_array_elements(cast(:tail as json)) with ordinality t (kept, n) order by t.n))
  as state"""

_CLAIM = """
select * from {s}.claim_stale_turn_1(
  :user_id, :conversation_id, cast(:lease as double precision), cast(:ours as text[]))"""

_STALE = "select * from {s}.stale_turns_1()"


class PostgresTurnRepository(TurnRepository):
    """See the port. `engine` must be in AUTOCOMMIT; `lease` is in seconds."""

    def __init__(self, engine: AsyncEngine, schema: str, *, lease: float = 5.0) -> None:
        self._statements = Statements(engine, schema)
        self._lease = lease

    async def begin(
        self, request: TurnRequest, newest: int, room: int = MAX_PAGE
    ) -> Begun | Repeated:
        rows = await self._statements.rows(
            _BEGIN,
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
        )
        outcome = rows[0]["outcome"]
        if outcome not in ("started", "repeated"):
            raise refusal_of(outcome)
        messages = [to_message(row) for row in rows if row["position"] is not None]
        answers_one = request.message is not None or request.retry_of is not None
        turn = _turn(rows[0], request.user_id, subject=messages[-1] if answers_one else None)
        if outcome == "repeated":
            return Repeated(turn=turn)
        return Begun(turn=turn, newest=tuple(messages), counted=rows[0]["counted"])

    async def turn(self, user_id: UserId, id: TurnId) -> Turn:
        rows = await self._statements.found(_TURN, user_id=user_id, id=id)
        if not rows:
            (somebodys,) = await self._statements.found(_EXISTS, id=id)
            raise refusals.turn_not_yours() if somebodys else refusals.no_turn()
        by_host, epoch, retry, conversation = rows[0]
        return Turn(
            id=id,
            conversation=to_conversation(conversation),
            epoch=epoch,
            retry=retry,
            by_host=by_host,
        )

    async def of_key(self, user_id: UserId, once: Once) -> TurnId | None:
        rows = await self._statements.columns(_OF_KEY, user_id=user_id, key=once.key)
        if rows and rows[0]["digest"] != once.digest:
            raise refusals.key_reused()
        return TurnId(rows[0]["id"]) if rows else None

    async def last(self, user_id: UserId, conversation_id: ConversationId) -> LastTurn | None:
        rows = await self._statements.columns(_LAST, user_id=user_id, id=conversation_id)
        return LastTurn(**rows[0]) if rows else None

    async def progress(self, user_id: UserId, id: TurnId, after: int = 0) -> Progress:
        rows = await self._statements.columns(_PROGRESS, user_id=user_id, id=id, after=after)
        if not rows:
            raise refusals.turn_gone()
        how_far = {name: rows[0][name] for name in ("state", "stale", "kept")}
        # no event, and still a row, where none follows
        events = tuple(to_event(id, r["number"], r["event"]) for r in rows if r["number"])
        return Progress(**how_far, events=events, more=len(events) == _EVENTS_AT_ONCE)

    async def finish(self, turn: Turn, ending: Ending) -> TurnState:
        tail = [{"number": number, "event": to_record(e)} for number, e in ending.tail]
        rows = await self._statements.rows(
            _FINISH,
            user_id=turn.conversation.user_id,
            turn_id=turn.id,
            epoch=turn.epoch,
            state=ending.state,
            code=ending.code,
            title=ending.title,
            usage=usage_to_json(ending.usage),
            messages=messages_to_json(ending.messages),
            changes=changes_to_json(ending.changes),
            tail=json.dumps(tail),
        )
        if rows[0]["state"] is None:
            raise refusals.turn_gone()
        if rows[0]["state"] == "lost":
            raise refusals.turn_taken_over()
        return rows[0]["state"]

    async def claim_stale(
        self, user_id: UserId, conversation_id: ConversationId, ours: Collection[TurnId] = ()
    ) -> Claimed | None:
        rows = await self._statements.rows(
            _CLAIM,
            user_id=user_id,
            conversation_id=conversation_id,
            lease=self._lease,
            ours=list(ours),
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
        rows = await self._statements.rows(_STALE)
        return tuple((r["user_id"], r["conversation_id"]) for r in rows)

    async def abandon_running(self) -> None:
        abandoning = update(TurnRow).where(_RUNNING).values(lease_until=text("'-infinity'"))
        await self._statements.changed(abandoning.returning(col(TurnRow.id)))

    async def ask_cancel(self, user_id: UserId, conversation_id: ConversationId) -> bool:
        asking = _ask_cancel(user_id, conversation_id)
        ((asked, mine, somebodys),) = await self._statements.found(asking)
        if not mine:
            raise missing(somebody_elses=somebodys)
        return asked


def _ask_cancel(user_id: UserId, id: ConversationId) -> Select[bool, bool, bool]:
    """Whether a running turn was asked; is the conversation the owner's, and is it anybody's?"""
    running = (col(TurnRow.user_id) == user_id, col(TurnRow.conversation_id) == id, _RUNNING)
    asking = update(TurnRow).where(*running).values(cancel_asked=True)
    asked = asking.returning(col(TurnRow.id)).cte("asked")
    known = col(ConversationRow.id) == id
    mine = exists().where(col(ConversationRow.user_id) == user_id, known)
    return select(exists(select(asked.c.id)), mine, exists().where(known))


def _turn(row: Columns, user_id: UserId, subject: Message | None = None) -> Turn:
    return Turn(
        id=TurnId(row["turn_id"]),
        conversation=to_conversation(conversation_row(row, user_id)),
        subject=subject,
        epoch=row["epoch"],
        retry=row["retry"],
        by_host=row.get("by_host", False),
    )

"""The statements of turns: functions as they are called, and what is selected."""

from typing import Any

from sqlalchemy import (
    Integer,
    Text,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    or_,
    true,
    update,
)
from sqlalchemy.orm import Mapped
from sqlmodel import col, select
from sqlmodel.sql.expression import Select

from chatbridge.adapters.postgres.tables import ConversationRow, TurnEventRow, TurnRow
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.turn import TurnState

BEGIN = """
select * from {s}.begin_turn_1(:user_id, :conversation_id, :new, :turn_id,
  cast(:lease as double precision), cast(:message as json), :retry_of, :newest,
  cast(:room as bigint), :key, :digest, :model, :by_host, :about)"""

WITHDRAW = """
delete from {s}.turns t
  where t.user_id = :user_id and t.id = :turn_id and t.state = 'running' and t.epoch = 1"""

_USER, _ID = bindparam("user_id", type_=Text), bindparam("id", type_=Text)
_AFTER = bindparam("after", type_=Integer)

_MINE = (col(TurnRow.user_id) == _USER, col(TurnRow.id) == _ID)
_OF_CONVERSATION = (col(TurnRow.user_id) == _USER, col(TurnRow.conversation_id) == _ID)
_STATE: Mapped[TurnState] = col(TurnRow.state)
# as it is written in the indexes of running and of waiting turns
RUNNING = literal_column("'running'") == _STATE
WAITING = literal_column("'waiting'") == _STATE
_IS_STALE = and_(or_(RUNNING, WAITING), col(TurnRow.lease_until) < func.clock_timestamp())

TURN = (
    select(TurnRow.by_host, TurnRow.epoch, TurnRow.retry, ConversationRow)
    .join(col(TurnRow.conversation))
    .where(*_MINE)
)

EXISTS = select(exists().where(col(TurnRow.id) == _ID))

# a clock that was set back can name another one as the last, never as the open one
_RUNS = select(TurnRow.id).where(*_OF_CONVERSATION, RUNNING).scalar_subquery()
_WAITS = select(TurnRow.id).where(*_OF_CONVERSATION, WAITING).scalar_subquery()
_NEWEST = (
    select(TurnRow.id)
    .where(*_OF_CONVERSATION)
    .order_by(col(TurnRow.created_at).desc())
    .limit(1)
    .scalar_subquery()
)
_LAST_ID = func.coalesce(_RUNS, _WAITS, _NEWEST)
_IS_LAST = (col(TurnRow.user_id) == _USER, col(TurnRow.id) == _LAST_ID)
LAST = select(TurnRow.id, _STATE, TurnRow.retry).where(*_IS_LAST)

EVENTS_AT_ONCE = 1_000
"""How many events a statement reads at most: more would hold up the loop, and those of a long turn
would take longer than a call may."""

_OF_TURN = (col(TurnEventRow.user_id) == _USER, col(TurnEventRow.turn_id) == _ID)
_FURTHER = (
    select(TurnEventRow.number, TurnEventRow.event)
    .where(*_OF_TURN, col(TurnEventRow.number) > _AFTER)
    .order_by(col(TurnEventRow.number))
    .limit(EVENTS_AT_ONCE)
    .subquery()
)
_KEPT = exists().where(*_OF_TURN).label("kept")
_HOW_FAR: Any = select(_STATE, _IS_STALE.label("stale"), _KEPT)
PROGRESS = (
    _HOW_FAR.add_columns(*_FURTHER.c)
    .select_from(TurnRow)
    .outerjoin(_FURTHER, true())
    .where(*_MINE)
    .order_by(_FURTHER.c.number)
)

_ITS_EVENTS = (
    select(TurnEventRow.number, TurnEventRow.event)
    .where(
        col(TurnEventRow.user_id) == _USER,
        col(TurnEventRow.turn_id) == _LAST_ID,
        col(TurnEventRow.number) > 0,
    )
    .order_by(col(TurnEventRow.number))
    .limit(EVENTS_AT_ONCE)
    .subquery()
)
_ITS_STATE: Any = select(_STATE, _IS_STALE.label("stale"))
OPENED: Any = (
    _ITS_STATE.add_columns(
        col(TurnRow.id).label("turn_id"),
        TurnRow.epoch,
        TurnRow.retry,
        TurnRow.by_host,
        col(ConversationRow.id).label("conversation_id"),
        ConversationRow.title,
        ConversationRow.status,
        ConversationRow.status_reason,
        col(ConversationRow.meta).label("metadata"),
        ConversationRow.agent,
        col(ConversationRow.pictures),
        col(ConversationRow.created_at).label("conversation_created_at"),
        col(ConversationRow.updated_at).label("conversation_updated_at"),
        *_ITS_EVENTS.c,
    )
    .select_from(TurnRow)
    .join(col(TurnRow.conversation))
    .outerjoin(_ITS_EVENTS, true())
    .where(*_IS_LAST)
    .order_by(_ITS_EVENTS.c.number)
)

_TAIL = """
  array(select (t.kept->>'number')::integer
    from json_array_elements(cast(:tail as json)) with ordinality t (kept, n) order by t.n),
  array(select t.kept->'event'
    from json_array_elements(cast(:tail as json)) with ordinality t (kept, n) order by t.n))
  as state"""

WAIT = f"""
select {{s}}.wait_turn_1(:user_id, :turn_id, :epoch, cast(:seconds as double precision), :title,
  cast(:usage as jsonb), cast(:ended as json),{_TAIL}"""

ANSWER = """
select * from {s}.answer_turn_1(:user_id, :turn_id, :after,
  array(select t.event from json_array_elements(cast(:events as json)) with ordinality t (event, n)
    order by t.n),
  :goes_on, cast(:lease as double precision), :newest, cast(:room as bigint),
  cast(:standing as json))"""

FINISH = f"""
select {{s}}.finish_turn_1(:user_id, :turn_id, :epoch, :state, :code, :title, cast(:usage as jsonb),
  cast(:messages as json), cast(:made as text[]), cast(:changes as json),{_TAIL}"""

CLAIM = """
select * from {s}.claim_stale_turn_1(
  :user_id, :conversation_id, cast(:lease as double precision), cast(:ours as text[]), :waiting)"""

STALE = "select * from {s}.stale_turns_1()"


def ask_cancel_of(user_id: UserId, id: ConversationId) -> Select[bool, bool, bool]:
    """Whether a running turn was asked; is the conversation the owner's, and is it anybody's?"""
    running = (col(TurnRow.user_id) == user_id, col(TurnRow.conversation_id) == id, RUNNING)
    asking = update(TurnRow).where(*running).values(cancel_asked=True)
    asked = asking.returning(col(TurnRow.id)).cte("asked")
    known = col(ConversationRow.id) == id
    mine = exists().where(col(ConversationRow.user_id) == user_id, known)
    return select(exists(select(asked.c.id)), mine, exists().where(known))

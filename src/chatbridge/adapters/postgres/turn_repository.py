"""How turns begin and end in Postgres: each a single SQL function, called in one round trip."""

import json
from collections.abc import Callable

from sqlalchemy.ext.asyncio import AsyncEngine

from chatbridge.adapters.postgres.rows import (
    Columns,
    conversation_row,
    message_to_json,
    messages_to_json,
    missing,
    to_conversation,
    to_event,
    to_message,
    usage_to_json,
)
from chatbridge.adapters.postgres.statements import Rows, Statements
from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.identifiers import ConversationId, TurnId, UserId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.turn import Ending, Turn, TurnState
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
  cast(:lease as double precision), cast(:message as json), :retry_of, :newest, :key, :digest)"""

_TURN = """
select t.id as turn_id, t.conversation_id, t.epoch, t.retry, c.title, c.status, c.status_reason,
  c.metadata, c.created_at as conversation_created_at, c.updated_at as conversation_updated_at
from {s}.turns t join {s}.conversations c on c.user_id = t.user_id and c.id = t.conversation_id
where t.user_id = :user_id and t.id = :id"""

_EXISTS = "select exists (select from {s}.turns where id = :id) as found"

# a clock that was set back can name another one as the last, never as the running one
_LAST = """
select id, state, retry from {s}.turns
where user_id = :user_id and conversation_id = :conversation_id
order by state = 'running' desc, created_at desc limit 1"""

_PROGRESS = """
select t.id as turn_id, t.state,
  t.state = 'running' and t.lease_until < clock_timestamp() as stale,
  exists (select from {s}.turn_events where user_id = t.user_id and turn_id = t.id) as kept,
  e.number, e.event
from {s}.turns t
left join {s}.turn_events e on e.user_id = t.user_id and e.turn_id = t.id and e.number > :after
where t.user_id = :user_id and t.id = :id order by e.number"""

_FINISH = """
select {s}.finish_turn_1(:user_id, :turn_id, :epoch, :state, :title, cast(:usage as jsonb),
  cast(:messages as json),
  array(select (t.kept->>'number')::integer
    from json_array_elements(cast(:tail as json)) with ordinality t (kept, n) order by t.n),
  array(select t.kept->'event'
    from json_array_elements(cast(:tail as json)) with ordinality t (kept, n) order by t.n))
  as state"""

_CLAIM = """
select * from {s}.claim_stale_turn_1(
  :user_id, :conversation_id, cast(:lease as double precision))"""

_STALE = """
select user_id, conversation_id from {s}.turns
where state = 'running' and lease_until < clock_timestamp() order by lease_until limit 100"""

_ABANDON = "update {s}.turns set lease_until = '-infinity' where state = 'running'"

_ASK_CANCEL = """
with asked as (update {s}.turns set cancel_asked = true
  where user_id = :user_id and conversation_id = :conversation_id and state = 'running'
  returning id)
select exists (select from asked) as asked,
  exists (select from {s}.conversations where user_id = :user_id and id = :conversation_id)
    as mine,
  exists (select from {s}.conversations where id = :conversation_id) as found"""

_REFUSALS: dict[str, Callable[[], ChatbridgeError]] = {
    "closed": refusals.closed,
    "busy": refusals.turn_running,
    "stale": refusals.stale_turn,
    "ended": refusals.turn_ended,
    "reused": refusals.key_reused,
    "known_message": refusals.message_exists,
    "no_message": refusals.no_message,
    "not_retryable": refusals.not_retryable,
}


class PostgresTurnRepository(TurnRepository):
    """See the port. `engine` must be in AUTOCOMMIT; `lease` is in seconds."""

    def __init__(self, engine: AsyncEngine, schema: str, *, lease: float = 5.0) -> None:
        self._statements = Statements(engine, schema)
        self._lease = lease

    async def begin(self, request: TurnRequest, newest: int) -> Begun | Repeated:
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
            key=request.once.key if request.once else None,
            digest=request.once.digest if request.once else None,
        )
        outcome = rows[0]["outcome"]
        if outcome not in ("started", "repeated"):
            raise _refusal(outcome)
        messages = [to_message(row) for row in rows]
        turn = _turn(rows[0], request.user_id, subject=messages[-1])
        if outcome == "repeated":
            return Repeated(turn=turn)
        return Begun(turn=turn, newest=tuple(messages), counted=rows[0]["counted"])

    async def turn(self, user_id: UserId, id: TurnId) -> Turn:
        rows = await self._statements.rows(_TURN, user_id=user_id, id=id)
        if not rows:
            (row,) = await self._statements.rows(_EXISTS, id=id)
            raise refusals.turn_not_yours() if row["found"] else refusals.no_turn()
        return _turn(rows[0], user_id)

    async def last(self, user_id: UserId, conversation_id: ConversationId) -> LastTurn | None:
        rows = await self._statements.rows(_LAST, user_id=user_id, conversation_id=conversation_id)
        return LastTurn(**rows[0]) if rows else None

    async def progress(self, user_id: UserId, id: TurnId, after: int = 0) -> Progress:
        rows = await self._statements.rows(_PROGRESS, user_id=user_id, id=id, after=after)
        if not rows:
            raise refusals.turn_gone()
        return Progress(
            state=rows[0]["state"],
            stale=rows[0]["stale"],
            kept=rows[0]["kept"],
            events=_events(rows),
        )

    async def finish(self, turn: Turn, ending: Ending) -> TurnState:
        tail = [{"number": number, "event": to_record(e)} for number, e in ending.tail]
        rows = await self._statements.rows(
            _FINISH,
            user_id=turn.conversation.user_id,
            turn_id=turn.id,
            epoch=turn.epoch,
            state=ending.state,
            title=ending.title,
            usage=usage_to_json(ending.usage),
            messages=messages_to_json(ending.messages),
            tail=json.dumps(tail),
        )
        if rows[0]["state"] is None:
            raise refusals.turn_gone()
        if rows[0]["state"] == "lost":
            raise refusals.turn_taken_over()
        return rows[0]["state"]

    async def claim_stale(self, user_id: UserId, conversation_id: ConversationId) -> Claimed | None:
        rows = await self._statements.rows(
            _CLAIM, user_id=user_id, conversation_id=conversation_id, lease=self._lease
        )
        return Claimed(turn=_turn(rows[0], user_id), events=_events(rows)) if rows else None

    async def stale(self) -> tuple[tuple[UserId, ConversationId], ...]:
        rows = await self._statements.rows(_STALE)
        return tuple((UserId(r["user_id"]), ConversationId(r["conversation_id"])) for r in rows)

    async def abandon_running(self) -> None:
        await self._statements.rows(_ABANDON)

    async def ask_cancel(self, user_id: UserId, conversation_id: ConversationId) -> bool:
        (row,) = await self._statements.rows(
            _ASK_CANCEL, user_id=user_id, conversation_id=conversation_id
        )
        if not row["mine"]:
            raise missing(somebody_elses=row["found"])
        return row["asked"]


def _turn(row: Columns, user_id: UserId, subject: Message | None = None) -> Turn:
    return Turn(
        id=TurnId(row["turn_id"]),
        conversation=to_conversation(conversation_row(row, user_id)),
        subject=subject,
        epoch=row["epoch"],
        retry=row["retry"],
    )


def _events(rows: Rows) -> tuple[TurnEvent, ...]:
    return tuple(
        to_event(row["turn_id"], row["number"], row["event"])
        for row in rows
        if row["number"] is not None
    )


def _refusal(outcome: str) -> ChatbridgeError:
    match outcome:
        case "missing" | "forbidden":
            return missing(somebody_elses=outcome == "forbidden")
        case _:
            return _REFUSALS[outcome]()

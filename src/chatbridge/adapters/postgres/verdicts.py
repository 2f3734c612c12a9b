"""The statements of feedback: an owner's verdicts on messages."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Integer,
    Label,
    Text,
    UpdateBase,
    bindparam,
    delete,
    desc,
    exists,
    func,
    literal,
)
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from chatbridge.adapters.postgres.tables import FeedbackRow, MessageRow
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId

_USER, _ID = bindparam("user_id", type_=Text), bindparam("id", type_=Text)
_IN_IT = (col(FeedbackRow.user_id) == _USER, col(FeedbackRow.conversation_id) == _ID)

GIVEN: Any = (
    select(FeedbackRow.message_id, FeedbackRow.kind)
    .where(*_IN_IT)
    .order_by(desc(col(FeedbackRow.updated_at)), col(FeedbackRow.message_id))
    .limit(bindparam("limit", type_=Integer))
)
"""Those of a conversation, the latest first."""


def verdict_on(message_id: Any) -> Label[Any]:
    """The verdict on the message of this id, as a column."""
    verdict = select(FeedbackRow.kind).where(*_IN_IT, col(FeedbackRow.message_id) == message_id)
    return verdict.scalar_subquery().label("feedback")


def given(
    user_id: UserId, conversation_id: ConversationId, ids: Sequence[MessageId], kind: str
) -> UpdateBase:
    """Keeps a verdict on each."""
    verdicts = select(literal(user_id), literal(conversation_id), _each(ids), literal(kind))
    columns = ("user_id", "conversation_id", "message_id", "kind")
    return (
        insert(FeedbackRow)
        .from_select(columns, verdicts.distinct())
        .on_conflict_do_update(
            index_elements=columns[:3], set_={"kind": kind, "updated_at": func.clock_timestamp()}
        )
        .returning(col(FeedbackRow.message_id))
    )


def withdrawn(
    user_id: UserId, conversation_id: ConversationId, ids: Sequence[MessageId]
) -> UpdateBase:
    """Takes the verdict on each back, or none where one of the messages is missing."""
    return (
        delete(FeedbackRow)
        .where(
            col(FeedbackRow.user_id) == user_id,
            col(FeedbackRow.conversation_id) == conversation_id,
            col(FeedbackRow.message_id).in_(select(_each(ids))),
            ~unknown(user_id, conversation_id, ids).exists(),
        )
        .returning(col(FeedbackRow.message_id))
    )


def unknown(
    user_id: UserId, conversation_id: ConversationId, ids: Sequence[MessageId]
) -> SelectOfScalar[Any]:
    """Those of the ids that no message of the conversation has."""
    id = _each(ids)
    here = (col(MessageRow.user_id) == user_id, col(MessageRow.conversation_id) == conversation_id)
    return select(id).where(~exists().where(*here, col(MessageRow.id) == id))


def _each(ids: Sequence[MessageId]) -> Any:
    return func.json_array_elements_text(literal(list(ids), JSON)).column_valued("named")

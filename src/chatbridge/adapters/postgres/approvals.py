"""What is approved for whole conversations: its statements, and its rows as the domain's values."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Text, UpdateBase, bindparam, delete, inspect
from sqlmodel import col, select

from chatbridge.adapters.postgres.tables import StandingApprovalRow
from chatbridge.domain.model.approval import ApprovalId, StandingApproval
from chatbridge.domain.model.identifiers import ConversationId, UserId

_APPROVALS: TypeAdapter[tuple[StandingApproval, ...]] = TypeAdapter(tuple[StandingApproval, ...])

STANDING: Any = (
    select(*inspect(StandingApprovalRow).columns)
    .where(
        col(StandingApprovalRow.user_id) == bindparam("user_id", type_=Text),
        col(StandingApprovalRow.conversation_id) == bindparam("id", type_=Text),
    )
    .order_by(col(StandingApprovalRow.created_at))
)
"""Those of a conversation, the oldest first."""


def revoked(user_id: UserId, conversation_id: ConversationId, id: ApprovalId) -> UpdateBase:
    """Takes one away."""
    return (
        delete(StandingApprovalRow)
        .where(
            col(StandingApprovalRow.user_id) == user_id,
            col(StandingApprovalRow.conversation_id) == conversation_id,
            col(StandingApprovalRow.id) == id,
        )
        .returning(col(StandingApprovalRow.id))
    )


def approvals_of(rows: Iterable[Any] | None) -> tuple[StandingApproval, ...]:
    """The rows, of which there may be none."""
    return _APPROVALS.validate_python([{**row} for row in rows or ()])


def approval_to_json(approval: StandingApproval) -> str:
    """One as answer_turn_1 reads it."""
    return json.dumps({**asdict(approval), "created_at": approval.created_at.isoformat()})

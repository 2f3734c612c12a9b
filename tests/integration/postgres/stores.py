"""Replicas on one shared database."""

from dataclasses import fields

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlmodel.ext.asyncio.session import AsyncSession

from chatbridge.adapters.postgres.attachment_repository import PostgresAttachmentRepository
from chatbridge.adapters.postgres.conversation_repository import PostgresConversationRepository
from chatbridge.adapters.postgres.counterpart_repository import PostgresCounterpartRepository
from chatbridge.adapters.postgres.rows import to_event
from chatbridge.adapters.postgres.tables import ConversationRow
from chatbridge.adapters.postgres.turn_journal import PostgresTurnJournal
from chatbridge.adapters.postgres.turn_repository import PostgresTurnRepository
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.turn import Turn
from chatbridge.domain.model.turn_event import TurnEvent
from chatbridge.domain.model.usage import Usage
from tests.contracts.store import Replica, Report, Store

SCHEMA = "chatbridge"

_EVENTS = text(
    "select event from chatbridge.turn_events "
    "where user_id = :user_id and turn_id = :id order by number"
)
_REPORT = text(
    "select usage, code, model from chatbridge.turns where user_id = :user_id and id = :id"
)
_VERDICTS = text(
    "select message_id, kind from chatbridge.feedback "
    "where user_id = :user_id and conversation_id = :id"
)


def postgres_replica(engine: AsyncEngine) -> Replica:
    async def seed(conversation: Conversation) -> None:
        values = {f.name: getattr(conversation, f.name) for f in fields(conversation)}
        values["meta"] = dict(values.pop("metadata"))
        del values["waits"]  # what its turns say
        async with AsyncSession(engine) as session:
            await session.exec(insert(ConversationRow).values(values).on_conflict_do_nothing())

    async def kept_events(turn: Turn) -> list[TurnEvent]:
        async with engine.connect() as connection:
            names = {"user_id": turn.conversation.user_id, "id": turn.id}
            kept = await connection.scalars(_EVENTS, names)
            return [to_event(turn.id, n, event) for n, event in enumerate(kept, 1)]

    async def kept_report(turn: Turn) -> Report:
        async with engine.connect() as connection:
            names = {"user_id": turn.conversation.user_id, "id": turn.id}
            row = (await connection.execute(_REPORT, names)).one()
            usage = Usage(**row.usage) if row.usage else None
            return Report(usage=usage, code=row.code, model=row.model)

    async def verdicts(user_id: UserId, id: ConversationId) -> dict[str, str]:
        async with engine.connect() as connection:
            rows = await connection.execute(_VERDICTS, {"user_id": user_id, "id": id})
            return {row.message_id: row.kind for row in rows}

    return lambda lease: Store(
        conversations=PostgresConversationRepository(engine, SCHEMA),
        turns=PostgresTurnRepository(engine, SCHEMA, lease=lease),
        journal=PostgresTurnJournal(engine, SCHEMA, lease=lease),
        counterparts=PostgresCounterpartRepository(engine, SCHEMA),
        attachments=PostgresAttachmentRepository(engine, SCHEMA),
        seed=seed,
        kept_events=kept_events,
        kept_report=kept_report,
        verdicts=verdicts,
    )

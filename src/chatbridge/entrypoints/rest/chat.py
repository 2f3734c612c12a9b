"""A turn over REST, without ChatKit: as events while it runs, or as a whole at its end."""

import json
from collections.abc import AsyncGenerator
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Request, Response

from chatbridge.domain.model.identifiers import (
    ConversationId,
    UserId,
    new_conversation_id,
    new_message_id,
)
from chatbridge.domain.model.message import Message, checked_content
from chatbridge.domain.model.turn_event import TurnEnded, TurnFailed, to_record
from chatbridge.domain.services.live_turn import LiveTurn
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.authentication import current_user, guarded
from chatbridge.entrypoints.following import FollowingResponse
from chatbridge.entrypoints.openapi import BODY, CONVERSATION, STORE, TOKEN, problems
from chatbridge.entrypoints.rest.documentation import EVENTS, STARTED
from chatbridge.entrypoints.rest.schemas import (
    ChatBody,
    MessageOut,
    TurnError,
    TurnOut,
    UsageOut,
)
from chatbridge.ports.authenticator import Authenticator


def chat_router(turns: Turns, authenticator: Authenticator) -> APIRouter:
    """The router of POST /api/{user_id}/chat."""
    router = APIRouter(route_class=guarded(authenticator), tags=["chat"])

    @router.post(
        "/api/{user_id}/chat",
        operation_id="chat",
        summary="Say something and be answered",
        response_model=TurnOut,
        responses={
            200: {
                "description": "The turn at its end, or its events.",
                "content": EVENTS,
            },
            **problems(
                *TOKEN,
                *CONVERSATION,
                "turn_running",
                "conversation_closed",
                *BODY,
                "empty_text",
                *STORE,
                "stopping",
            ),
        },
    )
    async def chat(
        body: ChatBody, request: Request, user: UserId = Depends(current_user)
    ) -> Response | TurnOut:
        """With `Accept: text/event-stream` the turn's events as they happen, else the turn at
        its end. Without a `conversation_id` a new conversation is made."""
        live = await turns.ask(user, _message(body), new=body.conversation_id is None)
        if "text/event-stream" in request.headers.get("accept", ""):
            return FollowingResponse(turns, live, _frames(live))
        return await _whole(live)

    return router


def _message(body: ChatBody) -> Message:
    return Message(
        id=new_message_id(),
        conversation_id=ConversationId(body.conversation_id or new_conversation_id()),
        role="user",
        kind="text",
        content=checked_content(body.message),
        created_at=datetime.now(UTC),
    )


async def _frames(live: LiveTurn) -> AsyncGenerator[str, None]:
    turn = live.turn
    started = {"type": STARTED, "conversation_id": turn.conversation.id, "turn_id": turn.id}
    yield f"event: {STARTED}\ndata: {json.dumps(started)}\n\n"
    async for number, event in live.follow():
        record = to_record(event)
        yield f"id: {number}\nevent: {record['type']}\ndata: {json.dumps(record)}\n\n"


async def _whole(live: LiveTurn) -> TurnOut:
    turn = TurnOut(
        conversation_id=live.turn.conversation.id,
        turn_id=live.turn.id,
        state="interrupted",
        messages=[],
    )
    async for _, event in live.follow():
        match event:
            case TurnFailed(code=code, detail=detail):
                turn.error = TurnError(code=code, detail=detail)
            case TurnEnded(state=state):
                turn.state = state
            case _:
                pass
    transcript = live.recording.transcript
    turn.messages = list(map(MessageOut.of, transcript.closed()))
    turn.usage = transcript.usage and UsageOut.of(transcript.usage)
    return turn

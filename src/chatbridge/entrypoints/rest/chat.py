"""A turn over REST, without ChatKit: as events while it runs, or as a whole at its end."""

import json
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.identifiers import (
    ID_PATTERN,
    AttachmentId,
    ConversationId,
    TurnId,
    UserId,
    new_conversation_id,
    new_message_id,
)
from chatbridge.domain.model.message import Message, checked_content
from chatbridge.domain.model.records import to_record
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.model.turn_event import (
    Shown,
    ToolCallAsked,
    TurnEnded,
    TurnFailed,
    TurnResumed,
    TurnWaiting,
)
from chatbridge.domain.services.attachments import Attachments
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.asking import asking
from chatbridge.entrypoints.attachments import RECEIVED
from chatbridge.entrypoints.authentication import Gate, current_user, guarded
from chatbridge.entrypoints.openapi import BODY, CONVERSATION, STORE, TOKEN, problems
from chatbridge.entrypoints.rest.documentation import EVENTS, STARTED
from chatbridge.entrypoints.rest.schemas import (
    ChatBody,
    MessageOut,
    TurnError,
    TurnOut,
    UsageOut,
)
from chatbridge.entrypoints.showing import ShowingResponse, kept_alive

_MAX_EVENT = 2**31 - 1
_TURN_ID = Path(
    pattern=f"^{ID_PATTERN}$",
    description="The turn's id, as `turn.started` and `X-Turn-Id` name it.",
    examples=["turn_3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b"],
)
_AFTER = Query(
    0, ge=0, le=_MAX_EVENT, description="The same as `Last-Event-ID`, which goes before it."
)
_LAST_EVENT_ID = Header(
    None,
    alias="Last-Event-ID",
    ge=0,
    le=_MAX_EVENT,
    description="The number of the last event that was received: what follows it is sent.",
)


def chat_router(turns: Turns, gate: Gate, attachments: Attachments | None = None) -> APIRouter:
    """The router of POST /api/{user_id}/chat."""
    router = APIRouter(route_class=guarded(gate), tags=["chat"])

    @router.post(
        "/api/{user_id}/chat",
        operation_id="chat",
        summary="Say something and be answered",
        response_model=TurnOut,
        responses={
            200: {
                "description": "The turn at its end or where it waits for a person, or its events.",
                "content": EVENTS,
            },
            **problems(
                *TOKEN,
                *CONVERSATION,
                refusals.turn_running,
                refusals.turn_ended,
                refusals.closed,
                *BODY,
                refusals.key_reused,
                refusals.empty_text,
                refusals.attachments_not_supported,
                refusals.attachment_not_yours,
                refusals.no_blob,
                refusals.attachment_awaited,
                refusals.too_many_attachments,
                *RECEIVED,
                *STORE,
                refusals.stopping,
            ),
        },
    )
    async def chat(
        body: ChatBody,
        request: Request,
        user: UserId = Depends(current_user),
        asked: Asking = Depends(asking),
    ) -> Response | TurnOut:
        """With `Accept: text/event-stream` the turn's events as they happen, else the turn at
        its end. Without a `conversation_id` a new conversation is made."""
        new = body.conversation_id is None
        carried: tuple[Attached, ...] = ()
        if body.attachments:
            if not attachments:
                raise refusals.attachments_not_supported()
            ids = [AttachmentId(id) for id in body.attachments]
            carried = await attachments.to_send(user, ids)
        recording = await turns.ask(user, _message(body, carried), new=new, asking=asked)
        if "text/event-stream" in request.headers.get("accept", ""):
            return ShowingResponse(turns, recording, kept_alive(frames(recording)))
        recording.add_viewer()
        try:
            return await whole(recording)
        finally:
            turns.leave(recording)

    @router.get(
        "/api/{user_id}/turns/{turn_id}/events",
        operation_id="followTurn",
        summary="Watch a turn",
        responses={
            200: {"description": "The turn's events.", "content": EVENTS},
            **problems(
                *TOKEN,
                refusals.turn_not_yours,
                refusals.no_turn,
                refusals.turn_ended,
                refusals.invalid_request,
                *STORE,
                refusals.stopping,
            ),
        },
        response_class=Response,
    )
    async def events(
        turn_id: str = _TURN_ID,
        after: int = _AFTER,
        last_event_id: int | None = _LAST_EVENT_ID,
        user: UserId = Depends(current_user),
    ) -> Response:
        """A turn that runs on any server, or has ended within the last hour: the events after
        the one that is named, as they happen."""
        recording = await turns.watch(user, TurnId(turn_id))
        seen = after if last_event_id is None else last_event_id
        return ShowingResponse(turns, recording, kept_alive(frames(recording, seen)))

    return router


def _message(body: ChatBody, carried: tuple[Attached, ...]) -> Message:
    return Message(
        id=new_message_id(),
        conversation_id=ConversationId(body.conversation_id or new_conversation_id()),
        role="user",
        kind="text",
        content=checked_content(body.message, attached=bool(carried)),
        attachments=carried,
        created_at=datetime.now(UTC),
    )


async def frames(recording: Recording, after: int = 0) -> AsyncGenerator[bytes, None]:
    """The turn's events from number `after` + 1 on, as server-sent events."""
    if not after:
        turn = recording.turn
        started = {"type": STARTED, "conversation_id": turn.conversation.id, "turn_id": turn.id}
        yield f"event: {STARTED}\ndata: {json.dumps(started)}\n\n".encode()
    async for number, event in recording.show(after):
        if isinstance(event, Shown) and event.kind == "note":
            continue
        if isinstance(event, ToolCallAsked):
            # what a provider wants back is nobody else's
            event = replace(event, payload=None, state=None)
        record = to_record(event)
        frame = f"id: {number}\nevent: {record['type']}\ndata: {json.dumps(record)}\n\n"
        yield frame.encode()


async def whole(recording: Recording) -> TurnOut:
    """The turn at its end, or where it waits for a person."""
    turn = TurnOut(
        conversation_id=recording.turn.conversation.id,
        turn_id=recording.turn.id,
        state="interrupted",
        messages=[],
    )
    async for _, event in recording.show():
        match event:
            case TurnFailed(code=code, detail=detail):
                turn.error = TurnError(code=code, detail=detail)
            case TurnEnded(state=state):
                turn.state = state
            case TurnWaiting():
                turn.state = "waiting"
            case TurnResumed():
                turn.state = "interrupted"
            case _:
                pass
    transcript = recording.shown
    all_said = transcript.said if turn.state == "waiting" else transcript.closed()
    said = (message for message in all_said if message.kind != "note")
    turn.messages = list(map(MessageOut.of, said))
    turn.usage = transcript.usage and UsageOut.of(transcript.usage)
    return turn

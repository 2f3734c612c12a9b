"""What the protocol has no operation for: stopping an answer, and taking its stream up again."""

from fastapi import APIRouter, Depends, Header, Path, Query, Request, Response

from chatbridge.adapters.chatkit.items.mapping import BY_NAME, Display
from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.identifiers import ID_PATTERN, ConversationId, UserId
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.authentication import Gate, current_caller, guarded
from chatbridge.entrypoints.chatkit.attachments import Files
from chatbridge.entrypoints.chatkit.documentation import BY_SESSION, FRAMES, ThreadCancelOut
from chatbridge.entrypoints.chatkit.frames import (
    RESUMABLE,
    frames_after,
    read_frame_id,
    told_so_far,
)
from chatbridge.entrypoints.openapi import BODY, CONVERSATION, SIGN_IN, STORE, problems
from chatbridge.entrypoints.showing import ShowingResponse, kept_alive

THREAD_ID = Path(
    pattern=f"^{ID_PATTERN}$",
    description="The thread's id.",
    examples=["conv_6f1c2a7d9b3e4c5f8a0b1c2d3e4f5a6b"],
)
_AFTER = Query(
    None, max_length=150, description="The same as `Last-Event-ID`, which goes before it."
)
_LAST_EVENT_ID = Header(
    None,
    alias="Last-Event-ID",
    max_length=150,
    description="The id of the last frame that was received: what follows it is sent. Unset: the "
    "whole of the answer that is under way.",
)

THREAD = (
    *SIGN_IN,
    refusals.service_key_not_accepted,
    refusals.session_is_bound,
    *CONVERSATION,
    *STORE,
)
"""Why a thread is not the caller's, or not to be had."""


def threads_router(
    turns: Turns,
    history: ConversationHistory,
    gate: Gate,
    display: Display = BY_NAME,
    files: Files | None = None,
) -> APIRouter:
    """The router of what is below /chatkit."""
    router = APIRouter(route_class=guarded(gate, sessions=True), tags=["chatkit"])
    files = files or Files(None, None)

    @router.post(
        "/chatkit/threads/{thread_id}/cancel",
        operation_id="cancelThreadTurn",
        summary="Stop the answer of a thread",
        responses=problems(*THREAD, *BODY),
        openapi_extra=BY_SESSION,
    )
    async def cancel(
        thread_id: str = THREAD_ID, caller: Caller = Depends(current_caller)
    ) -> ThreadCancelOut:
        """What the `Link` of a stream with `rel="stop"` leads to. The stream goes on to its end,
        which says what is kept: what was shown."""
        cancelled = await turns.cancel(caller.user_id, ConversationId(thread_id))
        return ThreadCancelOut(cancelled=cancelled)

    @router.get(
        "/chatkit/threads/{thread_id}/events",
        operation_id="followThread",
        summary="Take up the stream of an answer again",
        responses={
            200: FRAMES,
            204: {"description": "No answer is under way."},
            **problems(
                *THREAD,
                refusals.no_turn,
                refusals.turn_ended,
                refusals.invalid_request,
                refusals.invalid_frame_id,
                refusals.stopping,
            ),
        },
        openapi_extra=BY_SESSION,
        response_class=Response,
    )
    async def events(
        request: Request,
        thread_id: str = THREAD_ID,
        after: str | None = _AFTER,
        last_event_id: str | None = _LAST_EVENT_ID,
        caller: Caller = Depends(current_caller),
    ) -> Response:
        """The frames of an answer that runs on any server, or has ended within the last hour:
        the same bytes for everybody who asks, whenever and wherever, but for the addresses of
        files, which are good for a while."""
        recording, told = await followed(thread_id, last_event_id or after, caller.user_id)
        if recording is None:
            return Response(status_code=204)
        shown = files.display(display, request)
        frames = kept_alive(frames_after(recording, told, shown))
        response = ShowingResponse(turns, recording, frames, stop="cancel")
        response.headers.update(RESUMABLE if told else await told_so_far(recording, shown))
        return response

    async def followed(
        thread_id: str, cursor: str | None, user_id: UserId
    ) -> tuple[Recording | None, int]:
        conversation_id = ConversationId(thread_id)
        if cursor is None:
            recording = await turns.running_in(user_id, conversation_id)
            if recording is None:
                await history.get(user_id, conversation_id)
            return recording, 0
        turn_id, told = read_frame_id(cursor)
        recording = await turns.watch(user_id, turn_id)
        if recording.turn.conversation.id != conversation_id:
            raise refusals.no_turn()
        return recording, told

    return router

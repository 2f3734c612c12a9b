"""Feedback that is read back, and taken back: the protocol can only give it."""

from fastapi import APIRouter, Depends, Response

from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.identifiers import ConversationId, MessageId
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.entrypoints.asking import Rated, beside
from chatbridge.entrypoints.authentication import Gate, current_caller, guarded
from chatbridge.entrypoints.chatkit.documentation import BY_SESSION, FeedbackBody, FeedbackOut
from chatbridge.entrypoints.chatkit.threads import THREAD, THREAD_ID
from chatbridge.entrypoints.openapi import BODY, problems


def thread_feedback_router(
    history: ConversationHistory, gate: Gate, told: Rated | None = None
) -> APIRouter:
    """The router of what our own element reads beside the protocol; a host's server is `told`."""
    router = APIRouter(route_class=guarded(gate, sessions=True), tags=["chatkit"])
    path = "/chatkit/threads/{thread_id}/feedback"

    @router.get(
        path,
        operation_id="readThreadFeedback",
        summary="Read the feedback of a thread",
        responses=problems(*THREAD, refusals.invalid_request),
        openapi_extra=BY_SESSION,
    )
    async def feedback(
        thread_id: str = THREAD_ID, caller: Caller = Depends(current_caller)
    ) -> FeedbackOut:
        """What its owner has said of its items by `items.feedback`: of very many the latest
        1,000."""
        given = await history.feedback(caller.user_id, ConversationId(thread_id))
        return FeedbackOut(feedback={**given})

    @router.post(
        path,
        operation_id="giveThreadFeedback",
        summary="Give feedback on items of a thread, or take it back",
        status_code=204,
        response_description="It is kept.",
        responses=problems(*THREAD, refusals.no_message, *BODY),
        openapi_extra=BY_SESSION,
    )
    async def give_feedback(
        body: FeedbackBody,
        thread_id: str = THREAD_ID,
        caller: Caller = Depends(current_caller),
        asked: Asking = Depends(beside),
    ) -> Response:
        """What `items.feedback` does, which can't take anything back."""
        ids = list(map(MessageId, body.item_ids))
        thread = ConversationId(thread_id)
        await history.give_feedback(caller.user_id, thread, ids, body.kind)
        if told and body.kind:
            await told(caller.user_id, thread, ids, body.kind, asked)
        return Response(status_code=204)

    return router

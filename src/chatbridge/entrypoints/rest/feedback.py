"""What the owner of a message says of it, over REST."""

from fastapi import APIRouter, Depends, Path, Response

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import ID_PATTERN, ConversationId, MessageId, UserId
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.entrypoints.asking import Rated, beside
from chatbridge.entrypoints.authentication import Gate, current_user, guarded
from chatbridge.entrypoints.openapi import BODY, CONVERSATION, STORE, TOKEN, problems
from chatbridge.entrypoints.rest.conversations import CONVERSATION_ID
from chatbridge.entrypoints.rest.schemas import FeedbackBody

_MESSAGE_ID = Path(
    pattern=f"^{ID_PATTERN}$",
    description="The message's id.",
    examples=["msg_2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a"],
)

_MESSAGE = (refusals.not_your_account, *CONVERSATION, refusals.no_message)


def feedback_router(
    history: ConversationHistory, gate: Gate, told: Rated | None = None
) -> APIRouter:
    """The router of verdicts on messages; a host's server is `told`."""
    router = APIRouter(
        prefix="/api/{user_id}",
        route_class=guarded(gate),
        responses=problems(*TOKEN, refusals.invalid_request, *STORE),
    )
    verdict = "/conversations/{conversation_id}/messages/{message_id}/feedback"

    @router.put(
        verdict,
        operation_id="giveFeedback",
        summary="Say how good a message is",
        tags=["conversations"],
        status_code=204,
        response_description="It is kept.",
        responses=problems(*_MESSAGE, *BODY),
    )
    async def give_feedback(
        body: FeedbackBody,
        conversation_id: str = CONVERSATION_ID,
        message_id: str = _MESSAGE_ID,
        user: UserId = Depends(current_user),
        asked: Asking = Depends(beside),
    ) -> Response:
        """In place of what was said of it before."""
        where, ids = ConversationId(conversation_id), [MessageId(message_id)]
        await history.give_feedback(user, where, ids, body.kind)
        if told:
            await told(user, where, ids, body.kind, asked)
        return Response(status_code=204)

    @router.delete(
        verdict,
        operation_id="takeFeedbackBack",
        summary="Take back what was said of a message",
        tags=["conversations"],
        status_code=204,
        response_description="Nothing is said of it.",
        responses=problems(*_MESSAGE),
    )
    async def take_feedback_back(
        conversation_id: str = CONVERSATION_ID,
        message_id: str = _MESSAGE_ID,
        user: UserId = Depends(current_user),
    ) -> Response:
        ids = [MessageId(message_id)]
        await history.give_feedback(user, ConversationId(conversation_id), ids, None)
        return Response(status_code=204)

    return router

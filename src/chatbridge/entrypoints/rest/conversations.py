"""Conversations and tasks over REST."""

from fastapi import APIRouter, Depends, Path, Query, Response

from chatbridge.domain.model import refusals
from chatbridge.domain.model.identifiers import ID_PATTERN, ConversationId, UserId
from chatbridge.domain.model.limits import MAX_LIMIT
from chatbridge.domain.model.page import Order, PageRequest
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.authentication import Gate, current_user, guarded
from chatbridge.entrypoints.openapi import BODY, CONVERSATION, STORE, TOKEN, problems
from chatbridge.entrypoints.rest.schemas import (
    CancelOut,
    ChangeBody,
    ConversationOut,
    ConversationPage,
    MessageOut,
    MessagePage,
    TaskList,
    TaskOut,
)
from chatbridge.ports.task_repository import TaskRepository

_LIMIT = Query(20, ge=1, le=MAX_LIMIT, description="How many at most.")
_AFTER = Query(None, max_length=500, description="The cursor `next` of an earlier page.")
CONVERSATION_ID = Path(
    pattern=f"^{ID_PATTERN}$",
    description="The conversation's id.",
    examples=["conv_6f1c2a7d9b3e4c5f8a0b1c2d3e4f5a6b"],
)
# with those of the path's user: a status is documented once
_ONE = problems(refusals.not_your_account, *CONVERSATION)


def conversations_router(
    turns: Turns,
    history: ConversationHistory,
    tasks: TaskRepository,
    gate: Gate,
) -> APIRouter:
    """The router of everything that is kept."""
    router = APIRouter(
        prefix="/api/{user_id}",
        route_class=guarded(gate),
        responses=problems(*TOKEN, refusals.invalid_request, *STORE),
    )

    @router.get(
        "/conversations",
        operation_id="listConversations",
        summary="List conversations",
        tags=["conversations"],
        responses=problems(refusals.invalid_request, refusals.invalid_cursor),
    )
    async def list_conversations(
        user: UserId = Depends(current_user),
        limit: int = _LIMIT,
        after: str | None = _AFTER,
        order: Order = Query("desc", description="`desc`: latest activity first."),
        waiting: bool = Query(False, description="Only those whose answer waits for a person."),
    ) -> ConversationPage:
        request = PageRequest(limit=limit, after=after, order=order)
        page = await history.list(user, request, waiting=waiting)
        return ConversationPage(items=list(map(ConversationOut.of, page.items)), next=page.next)

    one = "/conversations/{conversation_id}"

    @router.get(
        one,
        operation_id="getConversation",
        summary="Get a conversation",
        tags=["conversations"],
        responses=_ONE,
    )
    async def get_conversation(
        conversation_id: str = CONVERSATION_ID, user: UserId = Depends(current_user)
    ) -> ConversationOut:
        return ConversationOut.of(await history.get(user, ConversationId(conversation_id)))

    @router.patch(
        one,
        operation_id="changeConversation",
        summary="Rename, lock, close or reopen a conversation",
        tags=["conversations"],
        responses={**_ONE, **problems(*BODY, refusals.invalid_title)},
    )
    async def change_conversation(
        body: ChangeBody,
        conversation_id: str = CONVERSATION_ID,
        user: UserId = Depends(current_user),
    ) -> ConversationOut:
        """A new title, a new status, or both. A conversation that is locked or closed refuses the
        next message with 409; an answer that runs goes on."""
        changed = await history.revise(
            user,
            ConversationId(conversation_id),
            title=body.title,
            status=body.status,
            reason=body.status_reason,
        )
        return ConversationOut.of(changed)

    @router.delete(
        one,
        operation_id="deleteConversation",
        summary="Delete a conversation",
        tags=["conversations"],
        status_code=204,
        response_description="It is gone.",
        responses=_ONE,
    )
    async def delete_conversation(
        conversation_id: str = CONVERSATION_ID, user: UserId = Depends(current_user)
    ) -> Response:
        """Delete it with its messages; a running turn is ended and its viewers are told."""
        await history.delete(user, ConversationId(conversation_id))
        return Response(status_code=204)

    @router.get(
        f"{one}/messages",
        operation_id="listMessages",
        summary="List messages",
        tags=["conversations"],
        responses={**_ONE, **problems(refusals.invalid_request, refusals.invalid_cursor)},
    )
    async def list_messages(
        conversation_id: str = CONVERSATION_ID,
        user: UserId = Depends(current_user),
        limit: int = _LIMIT,
        after: str | None = _AFTER,
        order: Order = Query("asc", description="`asc`: in the order in which they were said."),
    ) -> MessagePage:
        """A page ends early, with a `next`, where its messages are 1 MB in all."""
        request = PageRequest(limit=limit, after=after, order=order)
        page = await history.messages(user, ConversationId(conversation_id), request)
        return MessagePage(items=list(map(MessageOut.of, page.items)), next=page.next)

    @router.post(
        f"{one}/cancel",
        operation_id="cancelTurn",
        summary="Stop the answer",
        tags=["chat"],
        responses={**_ONE, **problems(*BODY)},
    )
    async def cancel(
        conversation_id: str = CONVERSATION_ID, user: UserId = Depends(current_user)
    ) -> CancelOut:
        """Stop the running turn, whichever server runs it; what was shown is kept."""
        cancelled = await turns.cancel(user, ConversationId(conversation_id))
        return CancelOut(cancelled=cancelled)

    @router.get("/tasks", operation_id="listTasks", summary="List tasks", tags=["tasks"])
    async def list_tasks(user: UserId = Depends(current_user)) -> TaskList:
        return TaskList(items=list(map(TaskOut.of, await tasks.list(user))))

    return router

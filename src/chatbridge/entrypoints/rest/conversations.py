"""Conversations and tasks over REST."""

from fastapi import APIRouter, Depends, Path, Query, Response

from chatbridge.domain.model.identifiers import ConversationId, UserId
from chatbridge.domain.model.page import MAX_LIMIT, Order, PageRequest
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.authentication import current_user, guarded
from chatbridge.entrypoints.errors import problems
from chatbridge.entrypoints.rest.schemas import (
    CancelOut,
    ConversationOut,
    ConversationPage,
    MessageOut,
    MessagePage,
    RenameBody,
    TaskList,
    TaskOut,
)
from chatbridge.ports.authenticator import Authenticator
from chatbridge.ports.task_repository import TaskRepository

_LIMIT = Query(20, ge=1, le=MAX_LIMIT, description="How many at most.")
_AFTER = Query(None, max_length=500, description="The cursor `next` of an earlier page.")
_ID = Path(pattern="^[A-Za-z0-9_.:-]{1,128}$")


def conversations_router(
    turns: Turns,
    history: ConversationHistory,
    tasks: TaskRepository,
    authenticator: Authenticator,
) -> APIRouter:
    """The router of everything that is kept."""
    router = APIRouter(
        prefix="/api/{user_id}",
        route_class=guarded(authenticator),
        responses=problems(401, 403, 422, 503),
    )

    @router.get("/conversations", summary="List conversations", tags=["conversations"])
    async def list_conversations(
        user: UserId = Depends(current_user),
        limit: int = _LIMIT,
        after: str | None = _AFTER,
        order: Order = Query("desc", description="`desc`: latest activity first."),
    ) -> ConversationPage:
        request = PageRequest(limit=limit, after=after, order=order)
        page = await history.list(user, request)
        return ConversationPage(items=list(map(ConversationOut.of, page.items)), next=page.next)

    one = "/conversations/{conversation_id}"

    @router.get(one, summary="Get one", tags=["conversations"], responses=problems(404))
    async def get_conversation(
        conversation_id: str = _ID, user: UserId = Depends(current_user)
    ) -> ConversationOut:
        return ConversationOut.of(await history.get(user, ConversationId(conversation_id)))

    @router.patch(one, summary="Rename", tags=["conversations"], responses=problems(404, 413, 415))
    async def rename_conversation(
        body: RenameBody, conversation_id: str = _ID, user: UserId = Depends(current_user)
    ) -> ConversationOut:
        renamed = await history.rename(user, ConversationId(conversation_id), body.title)
        return ConversationOut.of(renamed)

    @router.delete(
        one, summary="Delete", tags=["conversations"], status_code=204, responses=problems(404)
    )
    async def delete_conversation(
        conversation_id: str = _ID, user: UserId = Depends(current_user)
    ) -> Response:
        """Delete it with its messages; a running turn is ended and its viewers are told."""
        await history.delete(user, ConversationId(conversation_id))
        return Response(status_code=204)

    @router.get(
        f"{one}/messages",
        summary="List messages",
        tags=["conversations"],
        responses=problems(404),
    )
    async def list_messages(
        conversation_id: str = _ID,
        user: UserId = Depends(current_user),
        limit: int = _LIMIT,
        after: str | None = _AFTER,
        order: Order = Query("asc", description="`asc`: in the order in which they were said."),
    ) -> MessagePage:
        request = PageRequest(limit=limit, after=after, order=order)
        page = await history.messages(user, ConversationId(conversation_id), request)
        return MessagePage(items=list(map(MessageOut.of, page.items)), next=page.next)

    @router.post(f"{one}/cancel", summary="Stop the answer", tags=["chat"], responses=problems(404))
    async def cancel(conversation_id: str = _ID, user: UserId = Depends(current_user)) -> CancelOut:
        """Stop the running turn, whichever server runs it; what was shown is kept."""
        cancelled = await turns.cancel(user, ConversationId(conversation_id))
        return CancelOut(cancelled=cancelled)

    @router.get("/tasks", summary="List tasks", tags=["tasks"])
    async def list_tasks(user: UserId = Depends(current_user)) -> TaskList:
        return TaskList(items=list(map(TaskOut.of, await tasks.list(user))))

    return router

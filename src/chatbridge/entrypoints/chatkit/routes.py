"""The ChatKit protocol: every status is decided before the first byte of a stream goes out."""

from typing import Any

from chatkit.server import NonStreamingResult, StreamingResult
from chatkit.types import (
    ChatKitReq,
    ItemsFeedbackReq,
    ItemsListReq,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsRetryAfterItemReq,
    ThreadsUpdateReq,
)
from fastapi import APIRouter, Depends, Path, Request, Response
from pydantic import TypeAdapter, ValidationError

from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.errors import Forbidden, Invalid
from chatbridge.domain.model.identifiers import ConversationId, MessageId, new_conversation_id
from chatbridge.domain.model.page import MAX_LIMIT, PageRequest
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.live_turn import LiveTurn
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.authentication import current_caller, guarded
from chatbridge.entrypoints.chatkit.documentation import (
    ANSWERS,
    BY_SESSION,
    REQUEST,
    ThreadCancelOut,
)
from chatbridge.entrypoints.chatkit.mapping import to_user_message
from chatbridge.entrypoints.chatkit.server import AnsweringServer, BridgeServer
from chatbridge.entrypoints.chatkit.store import Watching
from chatbridge.entrypoints.errors import Refused, sentence
from chatbridge.entrypoints.following import FollowingResponse
from chatbridge.entrypoints.openapi import BODY, CONVERSATION, SIGN_IN, STORE, problems
from chatbridge.ports.authenticator import Authenticator

_REQUEST: TypeAdapter[ChatKitReq] = TypeAdapter(ChatKitReq)
_ANSWERED = (
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsUpdateReq,
    ThreadsDeleteReq,
    ItemsListReq,
    ItemsFeedbackReq,
)
_THREAD_ID = Path(
    pattern="^[A-Za-z0-9_.:-]{1,128}$",
    description="The thread's id.",
    examples=["conv_6f1c2a7d9b3e4c5f8a0b1c2d3e4f5a6b"],
)
_Streamed = ThreadsCreateReq | ThreadsAddUserMessageReq | ThreadsRetryAfterItemReq


def chatkit_router(
    turns: Turns, history: ConversationHistory, authenticator: Authenticator
) -> APIRouter:
    """The router of the ChatKit protocol."""
    router = APIRouter(route_class=guarded(authenticator, sessions=True), tags=["chatkit"])
    answering, bridge = AnsweringServer(history), BridgeServer()

    @router.post(
        "/chatkit",
        operation_id="chatkit",
        summary="The ChatKit protocol",
        responses={
            200: ANSWERS,
            **problems(
                *SIGN_IN,
                "service_key_not_accepted",
                "session_is_bound",
                *CONVERSATION,
                "message_not_found",
                "turn_running",
                "conversation_closed",
                *BODY,
                "unknown_operation",
                "empty_text",
                "text_too_long",
                "attachments_not_supported",
                "not_retryable",
                "invalid_title",
                "invalid_cursor",
                "invalid_limit",
                "not_implemented",
                *STORE,
                "stopping",
            ),
        },
        openapi_extra=REQUEST,
        response_class=Response,
    )
    async def chatkit(request: Request, caller: Caller = Depends(current_caller)) -> Response:
        """One operation of the protocol, by its `type`. Those that speak are server-sent events
        (`data: {json}` and a blank line), the others JSON."""
        operation = _read(await request.json())
        body = await request.body()
        _require_bound(_thread_id(operation), caller)
        if isinstance(operation, _Streamed):
            live = await _begin(turns, operation, caller)
            stream = await bridge.process(body, Watching(live))
            assert isinstance(stream, StreamingResult)  # noqa: S101  # as the SDK sorts them
            stop = f"chatkit/threads/{live.turn.conversation.id}/cancel"
            return FollowingResponse(turns, live, stream, stop=stop)
        if isinstance(operation, _ANSWERED):
            answer = await answering.process(body, caller.user_id)
            assert isinstance(answer, NonStreamingResult)  # noqa: S101  # as the SDK sorts them
            return Response(answer.json, media_type="application/json")
        await _require_own(operation, caller, history)
        raise Refused(501, "not_implemented", f"{operation.type} is not served here.")

    @router.post(
        "/chatkit/threads/{thread_id}/cancel",
        operation_id="cancelThreadTurn",
        summary="Stop the answer of a thread",
        responses=problems(
            *SIGN_IN,
            "service_key_not_accepted",
            "session_is_bound",
            *CONVERSATION,
            *BODY,
            *STORE,
        ),
        openapi_extra=BY_SESSION,
    )
    async def cancel(
        thread_id: str = _THREAD_ID, caller: Caller = Depends(current_caller)
    ) -> ThreadCancelOut:
        """What the `Link` of a stream with `rel="stop"` leads to. The stream goes on to its end,
        which says what is kept: what was shown."""
        _require_bound(thread_id, caller)
        cancelled = await turns.cancel(caller.user_id, ConversationId(thread_id))
        return ThreadCancelOut(cancelled=cancelled)

    return router


def _read(body: Any) -> ChatKitReq:
    try:
        operation = _REQUEST.validate_python(body)
    except ValidationError as error:
        no_such = any(e["type"].startswith("union_tag") and not e["loc"] for e in error.errors())
        code = "unknown_operation" if no_such else "invalid_request"
        raise Invalid(sentence(error), code=code) from None
    limit = getattr(operation.params, "limit", None)
    if limit is not None:
        PageRequest(limit=min(limit, MAX_LIMIT))
    return operation


async def _begin(turns: Turns, operation: _Streamed, caller: Caller) -> LiveTurn:
    match operation:
        case ThreadsCreateReq():
            message = to_user_message(operation.params.input, new_conversation_id())
            return await turns.ask(caller.user_id, message, new=True)
        case ThreadsAddUserMessageReq():
            conversation_id = ConversationId(operation.params.thread_id)
            message = to_user_message(operation.params.input, conversation_id)
            return await turns.ask(caller.user_id, message)
        case ThreadsRetryAfterItemReq():
            conversation_id = ConversationId(operation.params.thread_id)
            message_id = MessageId(operation.params.item_id)
            return await turns.retry(caller.user_id, conversation_id, message_id)


def _require_bound(thread_id: str | None, caller: Caller) -> None:
    if caller.conversation_id not in (None, thread_id):
        detail = "The chat session is bound to one conversation, and this is not for it."
        raise Forbidden(detail, code="session_is_bound")


async def _require_own(operation: ChatKitReq, caller: Caller, history: ConversationHistory) -> None:
    if thread_id := _thread_id(operation):
        await history.get(caller.user_id, ConversationId(thread_id))


def _thread_id(operation: ChatKitReq) -> str | None:
    return getattr(operation.params, "thread_id", None)

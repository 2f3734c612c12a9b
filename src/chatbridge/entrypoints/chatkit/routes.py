"""The ChatKit protocol: every status is decided before the first byte of a stream goes out."""

from typing import Any, Literal

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
from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import TypeAdapter, ValidationError

from chatbridge.domain.model import refusals
from chatbridge.domain.model.caller import Caller
from chatbridge.domain.model.identifiers import (
    ConversationId,
    MessageId,
    TurnId,
    new_conversation_id,
)
from chatbridge.domain.model.limits import MAX_LIMIT
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.asking import asking
from chatbridge.entrypoints.authentication import current_caller, guarded, require_bound
from chatbridge.entrypoints.chatkit.documentation import (
    ANSWERS,
    REQUEST,
)
from chatbridge.entrypoints.chatkit.frames import RESUMABLE, with_ids
from chatbridge.entrypoints.chatkit.mapping import to_user_message
from chatbridge.entrypoints.chatkit.server import AnsweringServer, BridgeServer
from chatbridge.entrypoints.chatkit.store import Watching
from chatbridge.entrypoints.errors import not_served, sentence
from chatbridge.entrypoints.openapi import BODY, CONVERSATION, SIGN_IN, STORE, problems
from chatbridge.entrypoints.showing import ShowingResponse, kept_alive
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
_STREAM = Header(
    None,
    alias="X-Chatbridge-Stream",
    description="`resumable`: the frames of the answer have ids, and a comment says every two "
    "seconds that the stream is alive. Unset: the SDK's own framing.",
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
                refusals.service_key_not_accepted,
                refusals.session_is_bound,
                *CONVERSATION,
                refusals.no_message,
                refusals.turn_running,
                refusals.turn_ended,
                refusals.closed,
                *BODY,
                refusals.key_reused,
                refusals.unknown_operation,
                refusals.empty_text,
                refusals.text_too_long,
                refusals.attachments_not_supported,
                refusals.not_retryable,
                refusals.invalid_title,
                refusals.invalid_cursor,
                refusals.invalid_limit,
                not_served,
                *STORE,
                refusals.stopping,
            ),
        },
        openapi_extra=REQUEST,
        response_class=Response,
    )
    async def chatkit(
        request: Request,
        caller: Caller = Depends(current_caller),
        asked: Asking = Depends(asking),
        stream: Literal["resumable"] | None = _STREAM,
    ) -> Response:
        """One operation of the protocol, by its `type`. Those that speak are server-sent events
        (`data: {json}` and a blank line), the others JSON."""
        operation = _read(await request.json())
        body = await request.body()
        require_bound(_thread_id(operation), caller)
        if isinstance(operation, _Streamed):
            recording = await _begin(turns, operation, caller, asked)
            watching = Watching(recording)
            told = await bridge.process(body, watching)
            assert isinstance(told, StreamingResult)  # noqa: S101  # as the SDK sorts them
            frames = kept_alive(with_ids(told, watching)) if stream else told
            stop = f"chatkit/threads/{recording.turn.conversation.id}/cancel"
            response = ShowingResponse(turns, recording, frames, stop=stop)
            response.headers.update(RESUMABLE if stream else {})
            return response
        if isinstance(operation, _ANSWERED):
            # asked first: an answer that ends meanwhile is read as it is kept, or told to its end
            unfinished = await _unfinished(turns, operation, caller)
            answer = await answering.process(body, caller.user_id)
            assert isinstance(answer, NonStreamingResult)  # noqa: S101  # as the SDK sorts them
            headers = {**RESUMABLE, **({"X-Turn-Id": unfinished} if unfinished else {})}
            return Response(answer.json, media_type="application/json", headers=headers)
        await _require_own(operation, caller, history)
        raise not_served(operation.type)

    return router


def _read(body: Any) -> ChatKitReq:
    try:
        operation = _REQUEST.validate_python(body)
    except ValidationError as error:
        no_such = any(e["type"].startswith("union_tag") and not e["loc"] for e in error.errors())
        refusal = refusals.unknown_operation if no_such else refusals.invalid_request
        raise refusal(sentence(error)) from None
    limit = getattr(operation.params, "limit", None)
    if limit is not None:
        PageRequest(limit=min(limit, MAX_LIMIT))
    return operation


async def _begin(turns: Turns, operation: _Streamed, caller: Caller, asked: Asking) -> Recording:
    match operation:
        case ThreadsCreateReq():
            message = to_user_message(operation.params.input, new_conversation_id())
            return await turns.ask(caller.user_id, message, new=True, asking=asked)
        case ThreadsAddUserMessageReq():
            conversation_id = ConversationId(operation.params.thread_id)
            message = to_user_message(operation.params.input, conversation_id)
            return await turns.ask(caller.user_id, message, asking=asked)
        case ThreadsRetryAfterItemReq():
            conversation_id = ConversationId(operation.params.thread_id)
            message_id = MessageId(operation.params.item_id)
            return await turns.retry(caller.user_id, conversation_id, message_id, asked)


async def _unfinished(turns: Turns, operation: ChatKitReq, caller: Caller) -> TurnId | None:
    if not isinstance(operation, ThreadsGetByIdReq):
        return None
    return await turns.unfinished_in(caller.user_id, ConversationId(operation.params.thread_id))


async def _require_own(operation: ChatKitReq, caller: Caller, history: ConversationHistory) -> None:
    if thread_id := _thread_id(operation):
        await history.get(caller.user_id, ConversationId(thread_id))


def _thread_id(operation: ChatKitReq) -> str | None:
    return getattr(operation.params, "thread_id", None)

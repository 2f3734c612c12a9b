"""Which operations of the ChatKit protocol are served: an entry each, and all that is said of it.

One that only asks is answered by the SDK out of `store.py`: its entry says what the answer is. One
that speaks begins a turn, and the SDK tells its stream: its entry says how the turn begins.
Everything else in the SDK's union of requests is refused as not served.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from chatkit.types import (
    Attachment,
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    ChatKitReq,
    InputTranscribeReq,
    ItemsFeedbackReq,
    ItemsListReq,
    Page,
    Thread,
    ThreadItem,
    ThreadMetadata,
    ThreadsAddUserMessageReq,
    ThreadsCreateReq,
    ThreadsDeleteReq,
    ThreadsGetByIdReq,
    ThreadsListReq,
    ThreadsRetryAfterItemReq,
    ThreadsUpdateReq,
    TranscriptionResult,
    UserMessageInput,
)

from chatbridge.adapters.chatkit.items.mapping import to_user_message
from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.errors import ChatbridgeError
from chatbridge.domain.model.identifiers import (
    ConversationId,
    MessageId,
    UserId,
    new_conversation_id,
)
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.refusals import Refusal
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.attachments import ANNOUNCED, RECEIVED
from chatbridge.entrypoints.errors import no_dictation
from chatbridge.entrypoints.openapi import CONVERSATION

R = TypeVar("R", bound=ChatKitReq)
Refusals = tuple[Refusal[ChatbridgeError], ...]


@dataclass(frozen=True, slots=True)
class Carried:
    """The files of its message, which are the owner's and whole, how those are shown that a host's
    own store keeps, and what is told of its tags."""

    files: Sequence[Attached] = ()
    records: Sequence[Payload] = ()
    told: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered(Generic[R]):
    """An operation with a JSON answer of this type; None: an empty object.

    `params` are an example; `refused` is what may be said of it besides what is said of all.
    """

    request: type[R]
    params: dict[str, Any]
    answer: Any = None
    refused: Refusals = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed(Generic[R]):
    """An operation that is answered with the stream of the turn that `begin` begins."""

    request: type[R]
    params: dict[str, Any]
    begin: Callable[[Turns, UserId, R, Asking, Carried], Awaitable[Recording]]
    refused: Refusals = ()


def type_of(operation: Answered[Any] | Streamed[Any]) -> str:
    """Its `type` in a request."""
    return operation.request.model_fields["type"].default


def _message(asked: UserMessageInput, where: ConversationId, carried: Carried) -> Message:
    return to_user_message(asked, where, tuple(carried.files), carried.told, carried.records)


async def _create(
    turns: Turns, user: UserId, asked: ThreadsCreateReq, asking: Asking, carried: Carried
) -> Recording:
    message = _message(asked.params.input, new_conversation_id(), carried)
    return await turns.ask(user, message, new=True, asking=asking)


async def _add_user_message(
    turns: Turns, user: UserId, asked: ThreadsAddUserMessageReq, asking: Asking, carried: Carried
) -> Recording:
    conversation_id = ConversationId(asked.params.thread_id)
    message = _message(asked.params.input, conversation_id, carried)
    return await turns.ask(user, message, asking=asking)


async def _retry_after_item(
    turns: Turns, user: UserId, asked: ThreadsRetryAfterItemReq, asking: Asking, _: Carried
) -> Recording:
    conversation_id = ConversationId(asked.params.thread_id)
    return await turns.retry(user, conversation_id, MessageId(asked.params.item_id), asking)


_THREAD = {"thread_id": "conv_6f1c2a7d9b3e4c5f8a0b1c2d3e4f5a6b"}
_SAID: dict[str, Any] = {
    "content": [{"type": "input_text", "text": "add a task: buy oat milk"}],
    "attachments": [],
    "inference_options": {},
}
_TURN: Refusals = (
    refusals.turn_running,
    refusals.turn_ended,
    refusals.key_reused,
    refusals.stopping,
)
_MESSAGE: Refusals = (
    *_TURN,
    refusals.empty_text,
    refusals.data_too_large,
    refusals.attachments_not_supported,
    refusals.attachment_not_yours,
    refusals.no_blob,
    refusals.attachment_awaited,
    refusals.too_many_attachments,
    *RECEIVED,
    refusals.model_not_offered,
    refusals.tool_not_offered,
)
_PAGE: Refusals = (refusals.invalid_limit, refusals.invalid_cursor)

OPERATIONS: tuple[Answered[Any] | Streamed[Any], ...] = (
    Streamed(request=ThreadsCreateReq, params={"input": _SAID}, begin=_create, refused=_MESSAGE),
    Streamed(
        request=ThreadsAddUserMessageReq,
        params={**_THREAD, "input": _SAID},
        begin=_add_user_message,
        refused=(*CONVERSATION, refusals.closed, *_MESSAGE),
    ),
    Streamed(
        request=ThreadsRetryAfterItemReq,
        params={**_THREAD, "item_id": "msg_2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a"},
        begin=_retry_after_item,
        refused=(
            *CONVERSATION,
            refusals.no_message,
            refusals.closed,
            refusals.not_retryable,
            *_TURN,
        ),
    ),
    Answered(request=ThreadsGetByIdReq, params=_THREAD, answer=Thread, refused=CONVERSATION),
    Answered(
        request=ThreadsListReq,
        params={"limit": 20, "order": "desc"},
        answer=Page[ThreadMetadata],
        refused=_PAGE,
    ),
    Answered(
        request=ThreadsUpdateReq,
        params={**_THREAD, "title": "Shopping"},
        answer=Thread,
        refused=(*CONVERSATION, refusals.invalid_title),
    ),
    Answered(request=ThreadsDeleteReq, params=_THREAD, refused=CONVERSATION),
    Answered(
        request=ItemsListReq,
        params={**_THREAD, "limit": 20, "order": "asc"},
        answer=Page[ThreadItem],
        refused=(*CONVERSATION, *_PAGE),
    ),
    Answered(
        request=ItemsFeedbackReq,
        params={
            **_THREAD,
            "item_ids": ["msg_2d3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a"],
            "kind": "positive",
        },
        refused=(*CONVERSATION, refusals.no_message),
    ),
    Answered(
        request=AttachmentsCreateReq,
        params={"name": "cat.png", "size": 48_213, "mime_type": "image/png"},
        answer=Attachment,
        refused=ANNOUNCED,
    ),
    Answered(
        request=AttachmentsDeleteReq,
        params={"attachment_id": "att_4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c"},
        refused=(refusals.attachment_not_yours, refusals.no_blob, refusals.attachment_sent),
    ),
    Answered(
        request=InputTranscribeReq,
        params={"audio_base64": "GkXfo59ChoEB", "mime_type": "audio/webm;codecs=opus"},
        answer=TranscriptionResult,
        refused=(
            *refusals.RECORDED,
            *refusals.NOT_WRITTEN,
            no_dictation,
        ),
    ),
)

"""What a person does in a thread besides writing: a turn of the host's own code, or refused."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeGuard
from weakref import WeakValueDictionary

from chatkit.types import (
    AttachmentsCreateReq,
    AttachmentsDeleteReq,
    ChatKitReq,
    ClientToolCallItem,
    InputTranscribeReq,
    ItemFeedbackParams,
    ItemsFeedbackReq,
    StructuredInputItem,
    ThreadItem,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsCustomActionReq,
    ThreadsSyncCustomActionReq,
    WidgetItem,
)

from chatbridge.adapters.chatkit.items.mapping import BY_NAME, Display, to_item
from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.errors import Conflict
from chatbridge.domain.model.identifiers import AttachmentId, ConversationId, MessageId, UserId
from chatbridge.domain.model.message import FeedbackKind, Message
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.chatkit.offers import require_offered
from chatbridge.entrypoints.chatkit.updated_item import with_addresses, with_updated
from chatbridge.entrypoints.dictation import audio_of
from chatbridge.ports.host_server import HostServer

Json = dict[str, Any]

Acted = ThreadsCustomActionReq | ThreadsAddClientToolOutputReq | ThreadsAddStructuredInputReq

REFUSED = (
    refusals.not_a_widget,
    refusals.action_not_offered,
    refusals.no_client_tool_call,
    refusals.no_structured_input,
    refusals.unknown_action,
    refusals.invalid_payload,
)
"""What may be said of these operations besides what is said of all."""


class Acting:
    """Of a host's own server or agent. Everything that can be refused is, before the first byte.

    `only_offered`: whether an action of this type must be one that its widget offers.
    `only_actions`: nothing else is served.
    """

    def __init__(
        self,
        turns: Turns,
        history: ConversationHistory,
        host: HostServer,
        *,
        only_offered: Callable[[str], bool],
        only_actions: bool = False,
    ) -> None:
        self._turns, self._history, self._host = turns, history, host
        self._only_offered = only_offered
        self._only_actions = only_actions
        self._pressing: WeakValueDictionary[tuple[UserId, str], asyncio.Lock] = (
            WeakValueDictionary()
        )

    @property
    def dictates(self) -> bool:
        """Whether the host's own server writes down what is said."""
        return self._host.overrides("transcribe")

    def answers(self, operation: ChatKitReq) -> bool:
        """Whether the host's own server answers it, and we would else: it writes down what is said,
        or has an attachment store."""
        if isinstance(operation, AttachmentsCreateReq | AttachmentsDeleteReq):
            return self.keeps_attachments
        return isinstance(operation, InputTranscribeReq) and self.dictates

    def serves(self, operation: ChatKitReq) -> TypeGuard[Acted]:
        """Whether it is an operation of those that begin a turn here."""
        served = ThreadsCustomActionReq if self._only_actions else Acted
        return isinstance(operation, served)

    async def begin(self, operation: Acted, user_id: UserId, asking: Asking) -> Recording:
        """The turn that answers it; asked again under its key, it is the same one, whatever has
        become meanwhile of what was answered."""
        look = partial(self._look, operation, user_id, asking)
        try:
            return await self._turns.act(
                user_id,
                ConversationId(operation.params.thread_id),
                asking,
                about=_about(operation),
                judge=lambda begun: self._judge(operation, asking, begun.about, begun.newest),
                look=look,
            )
        except Conflict as refused:
            if refused.code == refusals.closed.code:
                await look()
            raise

    async def _look(self, operation: Acted, user_id: UserId, asking: Asking) -> None:
        """Judge by what can be seen now: nothing begins, and so nothing is what it begins with."""
        thread_id, about = ConversationId(operation.params.thread_id), _about(operation)
        page = await self._history.messages(user_id, thread_id, PageRequest(limit=1, order="desc"))
        seen = await self._seen(user_id, thread_id, about)
        self._judge(operation, asking, seen, page.items)

    async def _seen(
        self, user_id: UserId, conversation_id: ConversationId, id: MessageId | None
    ) -> Message | None:
        return None if id is None else await self._history.message(user_id, conversation_id, id)

    def _judge(
        self, operation: Acted, asking: Asking, about: Message | None, newest: Sequence[Message]
    ) -> None:
        match operation:
            case ThreadsCustomActionReq():
                self._require_offered(operation, about)
                self._host.require(asking.operation or {})
            case ThreadsAddClientToolOutputReq():
                _require_client_tool_call(newest)
            case ThreadsAddStructuredInputReq():
                item = _item(about)
                if not isinstance(item, StructuredInputItem) or item.status != "pending":
                    raise refusals.no_structured_input()

    async def at_once(
        self, operation: ChatKitReq, user_id: UserId, asking: Asking, display: Display = BY_NAME
    ) -> bytes | None:
        """The answer to what is no turn; None where the server has none."""
        match operation:
            case ThreadsSyncCustomActionReq():
                # the second of two finds what the first has made of the widget
                place = (user_id, operation.params.thread_id)
                async with self._pressing.setdefault(place, asyncio.Lock()):
                    return await self._changed(operation, user_id, asking, display)
            case _ if not self.answers(operation):
                return None
            case InputTranscribeReq():
                audio_of(operation.params.audio_base64)
            case AttachmentsDeleteReq(params=params):
                # it would delete the bytes first, and ask its store then
                id = AttachmentId(params.attachment_id)
                await self._host.attachments(user_id, [id], asking, unsent=True)
            case _:
                pass
        return _written(await self._host.answer_alone(user_id, asking))

    @property
    def keeps_attachments(self) -> bool:
        """Whether attachments are the host's affair."""
        return self._host.keeps_attachments

    async def carried(
        self, ids: Sequence[AttachmentId], user_id: UserId, asking: Asking
    ) -> tuple[Sequence[Attached], Sequence[Payload]]:
        """The files of a message, and how they are shown. Raises like the port."""
        return await self._host.attachments(user_id, ids, asking)

    async def tell(self, verdict: ItemsFeedbackReq, user_id: UserId, asking: Asking) -> None:
        """Tell the server of a verdict, that is kept. Raises AgentFailed."""
        if self._host.overrides("add_feedback"):
            conversation_id = ConversationId(verdict.params.thread_id)
            conversation = await self._history.get(user_id, conversation_id)
            own = await self._history.said_so_far(user_id, conversation_id)
            _, events = await self._host.answer(conversation, own, asking)
            await self._history.change(user_id, conversation_id, events)

    async def rated(
        self,
        user_id: UserId,
        id: ConversationId,
        message_ids: Sequence[MessageId],
        kind: FeedbackKind,
        asking: Asking,
    ) -> None:
        """Tell the server of a verdict that did not come as the protocol has it."""
        rated = ItemFeedbackParams(thread_id=id, item_ids=list(message_ids), kind=kind)
        verdict = ItemsFeedbackReq(params=rated)
        await self.tell(verdict, user_id, in_its_words(asking, verdict.model_dump(mode="json")))

    async def _changed(
        self,
        operation: ThreadsSyncCustomActionReq,
        user_id: UserId,
        asking: Asking,
        display: Display,
    ) -> bytes:
        """The answer to an action; the item that it answers with is kept."""
        conversation_id = ConversationId(operation.params.thread_id)
        conversation = await self._history.get(user_id, conversation_id)
        if conversation.status != "active":
            raise refusals.closed()
        about = _about(operation)
        sender = await self._seen(user_id, conversation_id, about)
        self._require_offered(operation, sender)
        self._host.require(asking.operation or {})
        own = await self._history.said_so_far(user_id, conversation_id)
        told, events = await self._host.answer(conversation, own, asking)
        answer: Json = {**told}
        if updated := answer.get("updated_item"):
            events = await with_updated(self._history, conversation, updated, events)
        events = await self._history.change(user_id, conversation_id, events)
        return _written(with_addresses(answer, events, display))

    def _require_offered(
        self,
        operation: ThreadsCustomActionReq | ThreadsSyncCustomActionReq,
        sender: Message | None,
    ) -> None:
        action, streaming = operation.params.action, isinstance(operation, ThreadsCustomActionReq)
        only_offered = self._only_offered(action.type)
        if operation.params.item_id is None:
            if only_offered:
                raise refusals.action_not_offered()
            return
        item = _item(sender)
        if not isinstance(item, WidgetItem):
            raise refusals.not_a_widget()
        if only_offered:
            require_offered(item, action, streaming=streaming)


def _about(operation: Acted | ThreadsSyncCustomActionReq) -> MessageId | None:
    """The entry that it acts on."""
    id = getattr(operation.params, "item_id", None)
    return MessageId(id) if id is not None else None


def _item(message: Message | None) -> ThreadItem | None:
    """What is acted on, and was. Raises NotFound."""
    if message is None:
        raise refusals.no_message()
    # a badge looks like a widget, and offers nothing
    return to_item(message) if message.payload is not None else None


def _require_client_tool_call(newest: Sequence[Message]) -> None:
    last = next((m for m in reversed(newest) if m.kind != "note"), None)
    item = to_item(last) if last else None
    if not isinstance(item, ClientToolCallItem) or item.status != "pending":
        raise refusals.no_client_tool_call()


def _written(answer: Payload) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def in_its_words(asking: Asking, operation: Json) -> Asking:
    """The same, with the operation as it came."""
    return replace(asking, operation=operation)

"""What a person does in a thread besides writing: a turn of the host's own code, or refused."""

import asyncio
import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeGuard
from weakref import WeakValueDictionary

from chatkit.types import (
    ChatKitReq,
    ClientToolCallItem,
    InputTranscribeReq,
    ItemsFeedbackReq,
    StructuredInputItem,
    ThreadItem,
    ThreadsAddClientToolOutputReq,
    ThreadsAddStructuredInputReq,
    ThreadsCustomActionReq,
    ThreadsSyncCustomActionReq,
    WidgetItem,
)

from chatbridge.adapters.chatkit.items.mapping import to_item
from chatbridge.adapters.chatkit.items.wire import lifted, wire_time
from chatbridge.domain.model import refusals
from chatbridge.domain.model.errors import Conflict, Invalid, NotFound
from chatbridge.domain.model.identifiers import ConversationId, MessageId, UserId
from chatbridge.domain.model.page import PageRequest
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.turn import Asking
from chatbridge.domain.model.turn_event import Shown, TurnEvent
from chatbridge.domain.services.conversation_history import ConversationHistory
from chatbridge.domain.services.recording import Recording
from chatbridge.domain.services.turns import Turns
from chatbridge.entrypoints.chatkit.offers import require_offered
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

    def serves(self, operation: ChatKitReq) -> TypeGuard[Acted]:
        """Whether it is an operation of those that begin a turn here."""
        served = ThreadsCustomActionReq if self._only_actions else Acted
        return isinstance(operation, served)

    async def begin(self, operation: Acted, user_id: UserId, asking: Asking) -> Recording:
        """The turn that answers it; asked again under its key, it is the same one, whatever has
        become meanwhile of what was answered."""
        conversation_id = ConversationId(operation.params.thread_id)
        try:
            await self._require_answerable(operation, user_id, asking)
        except (Conflict, Invalid, NotFound):
            if again := await self._turns.repeated(user_id, asking):
                return again
            raise
        return await self._turns.act(user_id, conversation_id, asking)

    async def _require_answerable(self, operation: Acted, user_id: UserId, asking: Asking) -> None:
        match operation:
            case ThreadsCustomActionReq():
                await self._require_sender(operation, user_id)
                self._host.require(asking.operation or {})
            case ThreadsAddClientToolOutputReq():
                thread_id = ConversationId(operation.params.thread_id)
                await self._require_client_tool_call(thread_id, user_id)
            case ThreadsAddStructuredInputReq():
                item = await self._item(operation, operation.params.item_id, user_id)
                if not isinstance(item, StructuredInputItem) or item.status != "pending":
                    raise refusals.no_structured_input()

    async def at_once(self, operation: ChatKitReq, user_id: UserId, asking: Asking) -> bytes | None:
        """The answer to what is no turn; None where the server has none."""
        match operation:
            case ThreadsSyncCustomActionReq():
                # the second of two finds what the first has made of the widget
                place = (user_id, operation.params.thread_id)
                async with self._pressing.setdefault(place, asyncio.Lock()):
                    return await self._changed(operation, user_id, asking)
            case InputTranscribeReq() if self._host.overrides("transcribe"):
                _require_audio(operation.params.audio_base64)
                return _written(await self._host.answer_alone(user_id, asking))
            case _:
                return None

    async def tell(self, operation: ChatKitReq, user_id: UserId, asking: Asking) -> None:
        """Tell the server of what has been answered already: a verdict, that is kept."""
        if isinstance(operation, ItemsFeedbackReq) and self._host.overrides("add_feedback"):
            conversation_id = ConversationId(operation.params.thread_id)
            conversation = await self._history.get(user_id, conversation_id)
            own = await self._history.said_so_far(user_id, conversation_id)
            _, events = await self._host.answer(conversation, own, asking)
            await self._history.change(user_id, conversation_id, events)

    async def _changed(
        self, operation: ThreadsSyncCustomActionReq, user_id: UserId, asking: Asking
    ) -> bytes:
        """The answer to an action; the item that it answers with is kept."""
        conversation_id = ConversationId(operation.params.thread_id)
        conversation = await self._history.get(user_id, conversation_id)
        if conversation.status != "active":
            raise refusals.closed()
        await self._require_sender(operation, user_id)
        self._host.require(asking.operation or {})
        own = await self._history.said_so_far(user_id, conversation_id)
        told, events = await self._host.answer(conversation, own, asking)
        answer: Json = {**told}
        if updated := answer.get("updated_item"):
            known = await self._history.message(user_id, conversation_id, MessageId(updated["id"]))
            updated["created_at"] = wire_time(known.created_at)
            if known.id not in {getattr(event, "message_id", None) for event in events}:
                events = [*events, _replaced(updated)]
        await self._history.change(user_id, conversation_id, events)
        return _written(answer)

    async def _require_sender(
        self, operation: ThreadsCustomActionReq | ThreadsSyncCustomActionReq, user_id: UserId
    ) -> None:
        id = operation.params.item_id
        if id is None:
            await self._history.get(user_id, ConversationId(operation.params.thread_id))
            if self._only_offered(operation.params.action.type):
                raise refusals.action_not_offered()
            return
        item = await self._item(operation, id, user_id)
        if not isinstance(item, WidgetItem):
            raise refusals.not_a_widget()
        if self._only_offered(operation.params.action.type):
            streaming = isinstance(operation, ThreadsCustomActionReq)
            require_offered(item, operation.params.action, streaming=streaming)

    async def _require_client_tool_call(
        self, conversation_id: ConversationId, user_id: UserId
    ) -> None:
        request = PageRequest(limit=1, order="desc")
        page = await self._history.messages(user_id, conversation_id, request)
        item = to_item(page.items[0]) if page.items else None
        if not isinstance(item, ClientToolCallItem) or item.status != "pending":
            raise refusals.no_client_tool_call()

    async def _item(self, operation: ChatKitReq, id: str, user_id: UserId) -> ThreadItem | None:
        conversation_id = ConversationId(getattr(operation.params, "thread_id", ""))
        message = await self._history.message(user_id, conversation_id, MessageId(id))
        # a badge looks like a widget, and offers nothing
        return to_item(message) if message.payload is not None else None


def _require_audio(encoded: str) -> None:
    try:
        b64decode(encoded)
    except ValueError:
        raise refusals.invalid_request("body.params.audio_base64: this is no base64") from None


def _written(answer: Payload) -> bytes:
    return json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode()


def in_its_words(asking: Asking, operation: Json) -> Asking:
    """The same, with the operation as it came."""
    return replace(asking, operation=operation)


def _replaced(item: Json) -> TurnEvent:
    at, payload = lifted(item)
    return Shown(
        message_id=MessageId(item["id"]),
        at=at,
        how="replaced",
        kind="shown",
        content=item.get("copy_text") or "",
        payload=payload,
        earlier=True,
    )

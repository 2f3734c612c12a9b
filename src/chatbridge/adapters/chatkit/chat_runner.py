"""An agent that shows: its run has a Chat, and its widgets' actions have handlers."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any

from chatkit.errors import CustomStreamError, StreamError
from chatkit.types import ErrorEvent
from pydantic_core import to_json

from chatbridge.adapters.chatkit.actions import Actions, Pressed
from chatbridge.adapters.chatkit.call_widgets import CallWidgets
from chatbridge.adapters.chatkit.chat import Chat
from chatbridge.adapters.chatkit.entries import Entry
from chatbridge.adapters.chatkit.host_items import HostItems
from chatbridge.adapters.chatkit.items.wire import wire_dict, wire_item
from chatbridge.adapters.chatkit.late import keep_late
from chatbridge.adapters.chatkit.speaking import Speaking
from chatbridge.domain.model.asked import Asked
from chatbridge.domain.model.conversation import Conversation, title_of
from chatbridge.domain.model.errors import AgentFailed, ChatbridgeError
from chatbridge.domain.model.identifiers import TurnId
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn import Asking, Ending, Turn
from chatbridge.domain.model.turn_event import Shown, Titled, TurnEvent
from chatbridge.domain.services.made_files import MadeFiles
from chatbridge.ports.agent_runner import AgentRequest, AgentRunner
from chatbridge.ports.conversation_repository import ConversationRepository
from chatbridge.ports.host_code import brought
from chatbridge.ports.host_server import HostServer

_log = logging.getLogger(__name__)


class ChatRunner(AgentRunner, HostServer):
    """Runs `agent` with a Chat as its context, and `actions` when something is pressed.

    `widgets` are shown of what its tools bring. `context` makes of who asks what the host adds;
    `pictures` are the domains that a page may show pictures from.
    """

    def __init__(
        self,
        agent: AgentRunner,
        actions: Actions,
        conversations: ConversationRepository,
        *,
        widgets: CallWidgets,
        context: Callable[[Asked], Any],
        pictures: Sequence[str] | None = None,
        files: MadeFiles | None = None,
    ) -> None:
        self._agent, self.actions = agent, actions
        self._conversations = conversations
        self._files = files or MadeFiles(None)
        self._widgets = widgets
        self._context = context
        self._pictures = pictures or ()

    @property
    def model(self) -> str:
        """See the port."""
        return self._agent.model

    def model_for(self, message: Message | None) -> str:
        """See the port."""
        return self._agent.model_for(message)

    async def run(self, request: AgentRequest) -> None:
        """See the port."""
        said: list[TurnEvent] = []

        def say(event: TurnEvent) -> None:
            if acting:
                said.append(event)
            request.say(event)

        operation = request.asking.operation or {}
        acting = operation.get("type") == "threads.custom_action"
        speaking = self._of_turn(request, say)
        chat = await self._chat(request.asked, speaking)
        try:
            goes_on = not acting or await self._acted(chat, operation["params"])
            acting = False
            if goes_on:
                request = replace(request, window=_after(request, said))
                await self._agent.run(
                    replace(
                        request,
                        say=_heard(chat, say),
                        after_call=partial(self._widgets.show, chat),
                        context=chat,
                        rests=lambda: chat.asks,
                    )
                )
            chat.ends()
        finally:
            speaking.flush()
            speaking.ended = True

    def kept(self, turn: Turn, ending: Ending) -> None:
        """See the port."""
        self._agent.kept(turn, ending)

    async def answer(
        self, conversation: Conversation, own: Sequence[Message], asking: Asking
    ) -> tuple[Payload, Sequence[TurnEvent]]:
        """See the port: an action that is answered at once, by the widget that it comes from."""
        params = (asking.operation or {})["params"]
        try:
            async with self._outside(conversation, own, asking) as (chat, events):
                if await self._acted(chat, params):
                    raise RuntimeError("let_answer() was called for an action without a stream.")
        except ChatbridgeError:
            raise
        except Exception as error:
            _log.error("the handler of an action failed", exc_info=error)
            sentence = "The action could not be answered."
            raise AgentFailed(sentence, code="host_failed") from error
        return _updated(conversation, params.get("item_id"), events), events

    def outside(
        self, conversation: Conversation, own: Sequence[Message]
    ) -> AbstractAsyncContextManager[tuple[Chat, Sequence[TurnEvent]]]:
        """See the port: a Chat."""
        return self._outside(conversation, own, Asking())

    @asynccontextmanager
    async def _outside(
        self, conversation: Conversation, own: Sequence[Message], asking: Asking
    ) -> AsyncGenerator[tuple[Chat, list[TurnEvent]]]:
        events: list[TurnEvent] = []
        asked = Asked(
            user_id=conversation.user_id,
            conversation_id=conversation.id,
            turn_id=TurnId(""),
            claims=asking.claims,
            headers=asking.headers,
            metadata=asking.metadata,
        )
        here = asyncio.get_running_loop()
        items = HostItems(self._conversations, here, conversation, known=own)
        speaking = Speaking(
            items,
            events.append,
            afterwards=self._later(conversation),
            pictures=self._pictures,
        )
        chat = await self._chat(asked, speaking)
        try:
            yield chat, events
            chat.ends()
        finally:
            speaking.flush()
            speaking.ended = True

    def overrides(self, method: str) -> bool:
        """An agent has no server."""
        return False

    def require(self, operation: Payload) -> None:
        """See the port: somebody handles the action and can read its payload."""
        self.actions.pressed(operation["params"]["action"])

    async def _acted(self, chat: Chat, params: Any) -> bool:
        """Have the handler do it; whether the agent is to answer."""
        id = params.get("item_id")
        sender = Entry(await chat.widget(id), chat) if id else None
        pressed = self.actions.pressed(params["action"], sender)
        try:
            await self.actions.handle(chat, pressed)
        except (CustomStreamError, StreamError) as error:
            raise _failed(error) from error
        if pressed.answered and not chat.noted:
            await chat.note(_told(pressed))
        return pressed.answered

    async def _chat(self, asked: Asked, speaking: Speaking) -> Chat:
        added = await brought(self._context, asked)
        return Chat.of(asked, speaking, added)

    def _of_turn(self, request: AgentRequest, say: Callable[[TurnEvent], None]) -> Speaking:
        turn, before = request.turn, request.before
        conversation = turn.conversation
        if before:
            conversation = before.revised.of(conversation)
        if conversation.title is None and turn.subject:
            # it has it already, and is kept with it
            conversation = replace(conversation, title=title_of(turn.subject))
        items = HostItems(
            self._conversations,
            asyncio.get_running_loop(),
            conversation,
            window=request.window,
            known=(request.about,) if request.about else (),
            until=turn.subject if turn.retry else None,
        )
        for message in before.said if before else ():
            items.said(message)
        return Speaking(
            items,
            say,
            afterwards=self._later(conversation),
            subject=turn.subject,
            stopped=request.stopped,
            pictures=self._pictures,
        )

    def _later(self, conversation: Conversation) -> Any:
        here = asyncio.get_running_loop()
        return partial(keep_late, self._conversations, self._files, conversation, here)


def _heard(chat: Chat, say: Callable[[TurnEvent], None]) -> Callable[[TurnEvent], None]:
    def heard(event: TurnEvent) -> None:
        chat.hears(event)
        if not isinstance(event, Titled) or chat.takes_title(event.title):
            say(event)

    return heard


def _after(request: AgentRequest, said: Sequence[TurnEvent]) -> tuple[Message, ...]:
    """The window as it is when a handler has said and changed this."""
    told = Transcript(request.turn.conversation.id, said)
    known = (m for m in request.window if m.id not in told.removed)
    return (*(told.replaced.get(m.id, m) for m in known), *told.said)


def _updated(
    conversation: Conversation, sender: str | None, events: Sequence[TurnEvent]
) -> Payload:
    """ChatKit's answer to an action without a stream: its widget, if that is another one now."""
    forms = [e for e in events if isinstance(e, Shown) and e.message_id == sender]
    if not forms:
        return {}
    now = forms[-1]
    item = wire_item(now.message_id, conversation.id, now.at, now.payload)
    return {"updated_item": item}


def _told(pressed: Pressed[Any]) -> str:
    told = to_json(pressed.payload).decode()
    return f"The user has pressed {pressed.type} with {told}."


def _failed(error: CustomStreamError | StreamError) -> AgentFailed:
    if isinstance(error, CustomStreamError):
        told = ErrorEvent(code="custom", message=error.message, allow_retry=error.allow_retry)
    else:
        told = ErrorEvent(code=error.code, allow_retry=error.allow_retry)
    sentence = told.message or "The action could not be answered."
    return AgentFailed(sentence, code="host_failed", payload=wire_dict(told))

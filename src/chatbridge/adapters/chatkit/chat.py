"""What an agent's own code finds in its run: who asks, and what can be shown to them.

It is ChatKit's AgentContext, so that tools that were written for one work as they are. What they
show becomes part of the turn at once, in order with the agent's words and calls.
"""

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from itertools import chain
from typing import Any, Literal

from chatkit.agents import ClientToolCall
from chatkit.icons import IconName
from chatkit.server import stream_widget
from chatkit.store import NotFoundError
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    ClientEffectEvent,
    ClientToolCallItem,
    EndOfTurnItem,
    HiddenContextItem,
    NoticeEvent,
    Page,
    ProgressUpdateEvent,
    SDKHiddenContextItem,
    StructuredInput,
    StructuredInputItem,
    Task,
    TaskItem,
    Thread,
    ThreadItem,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    ThreadUpdatedEvent,
    WidgetItem,
)
from chatkit.widgets import WidgetRoot
from pydantic import PrivateAttr

from chatbridge.adapters.chatkit.entries import Entry
from chatbridge.adapters.chatkit.frames import Frames
from chatbridge.adapters.chatkit.items.mapping import to_item
from chatbridge.adapters.chatkit.items.wire import wire_dict
from chatbridge.adapters.chatkit.questions import page_asked, person_asked
from chatbridge.adapters.chatkit.speaking import Speaking
from chatbridge.adapters.chatkit.store import ChatStore
from chatbridge.adapters.chatkit.workflows import Workflows
from chatbridge.domain.model.asked import Asked
from chatbridge.domain.model.errors import AgentFailed
from chatbridge.domain.model.identifiers import MessageId
from chatbridge.domain.model.transcript import Transcript
from chatbridge.domain.model.turn_event import (
    TextDelta,
    TextFinished,
    TextStarted,
    TurnEvent,
)

Widget = WidgetRoot | AsyncGenerator[WidgetRoot, None]


class Chat(Workflows):
    """The context of an agent's run, and what a handler of an action is given.

    `claims` is what the sign-in says of the user, `headers` what the request has brought (without
    what signs in), `metadata` what the page has sent with it, `request_context` what the host's own
    `context` function adds.
    """

    user_id: str
    conversation_id: str
    turn_id: str
    claims: Mapping[str, Any]
    headers: Mapping[str, str]
    metadata: Mapping[str, Any]
    _asked: Asked = PrivateAttr()
    _speaking: Speaking = PrivateAttr()
    _frames: Frames = PrivateAttr()
    _spoken: Transcript = PrivateAttr()
    _known: ThreadMetadata = PrivateAttr()
    _questions: list[tuple[TurnEvent, ...]] = PrivateAttr()

    @classmethod
    def of(
        cls,
        asked: Asked,
        speaking: Speaking,
        request_context: Any = None,
    ) -> "Chat":
        """The one of a turn, or of an action that is none."""
        thread = speaking.thread()
        chat = cls(
            thread=thread,
            store=ChatStore(speaking),
            request_context=request_context,
            user_id=asked.user_id,
            conversation_id=asked.conversation_id,
            turn_id=asked.turn_id,
            claims=asked.claims,
            headers=asked.headers,
            metadata=asked.metadata,
        )
        chat._asked, chat._questions = asked, []
        chat._known = thread.model_copy(deep=True)
        chat._speaking, chat._frames = speaking, Frames(speaking)
        chat._spoken = Transcript(asked.conversation_id)
        return chat

    @property
    def asked(self) -> Asked:
        """Who asks, without what can be shown to them."""
        return self._asked

    # --- what can be shown

    async def progress(self, text: str, icon: IconName | None = None) -> None:
        """Say what goes on, until something else is shown. It is not kept."""
        await self.stream(ProgressUpdateEvent(text=text, icon=icon))

    async def show(self, widget: Widget, copy_text: str | None = None) -> Entry:
        """Show a widget, or one that grows: an async generator of its forms.

        `copy_text` is what the model reads of it later, and what a person copies.
        """
        id = self.generate_id("message")
        async for event in stream_widget(self.thread, widget, copy_text, lambda _: id):
            await self.stream(event)
        return Entry(await self.widget(id), self)

    async def widget(self, id: str) -> WidgetItem:
        """A widget of the conversation as it is now. Raises chatkit.store.NotFoundError."""
        item = await self.store.load_item(self.thread.id, id, self.request_context)
        if not isinstance(item, WidgetItem):
            raise NotFoundError(f"Item {id} is no widget")
        return item

    async def stream_widget(self, widget: Widget, copy_text: str | None = None) -> None:
        """The same, as AgentContext has it."""
        await self.show(widget, copy_text)

    async def say(self, text: str) -> None:
        """A whole message of the assistant's, in Markdown."""
        content = [AssistantMessageContent(text=text)]
        await self._done(AssistantMessageItem(**self._head("message"), content=content))

    async def task(self, task: Task) -> None:
        """A task that is done, by itself; tasks of a workflow are `add_workflow_task`."""
        await self._done(TaskItem(**self._head("task"), task=task))

    async def run_on_page(self, name: str, **arguments: Any) -> None:
        """Have the page run its tool when the run is over; the agent goes on with what it brings.

        The same as setting `client_tool_call`: the run should end there (`StopAtTools`).
        """
        self.client_tool_call = ClientToolCall(name=name, arguments=arguments)

    async def ask_person(self, *questions: StructuredInput) -> None:
        """Ask these in a form when the run is over; the agent goes on with the answers."""
        head = self._head("message")
        await self._done(StructuredInputItem(**head, inputs=[*questions]))

    async def end_of_turn(self) -> None:
        """Mark the end of what the assistant has to say."""
        await self._done(EndOfTurnItem(**self._head("message")))

    async def note(self, content: str) -> None:
        """Something that the model reads from now on, and nobody else."""
        await self._done(HiddenContextItem(**self._head("message"), content=content))

    async def effect(self, name: str, **data: Any) -> None:
        """Have the page do something: its `onEffect` is called. It is not kept."""
        await self.stream(ClientEffectEvent(name=name, data=data))

    async def notice(
        self,
        message: str,
        level: Literal["info", "warning", "danger"] = "info",
        title: str | None = None,
    ) -> None:
        """Something that the page shows above the composer. It is not kept."""
        await self.stream(NoticeEvent(level=level, message=message, title=title))

    async def stream(self, event: ThreadStreamEvent) -> None:
        """Show what any event of ChatKit's says."""
        self.follow_workflow(event)
        self._tell(event)
        self._tell_thread()
        await self._speaking.settle()

    @property
    def noted(self) -> bool:
        """Whether a note was kept in this turn."""
        own = self._speaking.items.own.values()
        return any(isinstance(item, HiddenContextItem) for item in own)

    # --- how it goes along with what the agent says

    def hears(self, event: TurnEvent) -> None:
        """Before the agent says this: what was held back, and the end of an open workflow."""
        match event:
            case TextStarted(message_id=id):
                self._speaking.items.ids.ours.add(id)
                self.close_workflow()
                self._spoken.apply(event)
            case TextDelta():
                return self._spoken.apply(event)
            case TextFinished(message_id=id):
                self._spoken.apply(event)
                if message := self._spoken.message(id):
                    self._speaking.items.own[id] = to_item(message)
            case _:
                pass
        self._frames.goes_on()
        self._tell_thread()
        return self._speaking.flush()

    def takes_title(self, title: str) -> bool:
        """Whether the thread gets this title: not where the host's own code has given it one."""
        if not self._speaking.takes_title(title):
            return False
        self.thread.title = self._known.title = title
        return True

    def ends(self) -> None:
        """The run is over: say what is left. Raises AgentFailed for an error that was its end."""
        self.close_workflow()
        self._tell_thread()
        self._speaking.flush()
        if failure := self._frames.failure():
            raise failure
        self._say_what_is_asked()

    @property
    def asks(self) -> bool:
        """Whether something is asked of a person when the run is over."""
        return bool(self.client_tool_call or self._questions)

    def _say_what_is_asked(self) -> None:
        asked = [*self._questions]
        if self.client_tool_call:
            asked.append(page_asked(self.client_tool_call))
        if asked and not self.turn_id:
            sentence = "An action without a stream can't ask the page or the person for anything."
            raise AgentFailed(sentence, code="not_asked")
        for event in chain.from_iterable(asked):
            self._speaking.say(event)

    # --- how it is done

    async def _done(self, item: ThreadItem) -> None:
        await self.stream(ThreadItemDoneEvent(item=item))

    def _head(self, kind: Any) -> dict[str, Any]:
        at = datetime.now()  # noqa: DTZ005  # as the SDK stamps them
        return {"id": self.generate_id(kind), "thread_id": self.thread.id, "created_at": at}

    def _tell(self, event: ThreadStreamEvent) -> None:
        """Keep it and show it: as ChatKitServer does with what it is given."""
        match event:
            case ThreadItemDoneEvent(item=StructuredInputItem(status="pending") as item):
                id = MessageId(self._speaking.items.ids.of(item.id))
                return self._questions.append(person_asked(id, item))
            case ThreadItemDoneEvent(item=ClientToolCallItem(status="pending") as item):
                self.client_tool_call = ClientToolCall(name=item.name, arguments=item.arguments)
                return None
            case ThreadItemDoneEvent() | ThreadItemReplacedEvent():
                self._speaking.keep(event.item)
                if isinstance(event.item, HiddenContextItem | SDKHiddenContextItem):
                    return self._speaking.flush()
            case ThreadItemRemovedEvent():
                self._speaking.drop(event.item_id)
            case _:
                pass
        return self._frames.read(wire_dict(event))

    def _tell_thread(self) -> None:
        """What the host's code has changed of the thread by itself."""
        if self.thread != self._known:
            self._speaking.save_thread(self.thread)
            self._known = self.thread.model_copy(deep=True)
            told = self.thread.model_dump(exclude={"metadata", "items"})
            self._tell(ThreadUpdatedEvent(thread=Thread(**told, items=Page())))

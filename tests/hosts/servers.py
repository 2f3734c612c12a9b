"""Servers as hosts write them: what the documentation and the samples of the SDK do."""

import asyncio
import threading
from base64 import b64encode
from collections.abc import AsyncGenerator, AsyncIterator
from datetime import datetime
from typing import Any

from agents import (
    Agent,
    GuardrailFunctionOutput,
    RunContextWrapper,
    Runner,
    StopAtTools,
    function_tool,
    output_guardrail,
)
from chatkit.agents import (
    AgentContext,
    ClientToolCall,
    simple_to_agent_input,
    stream_agent_response,
)
from chatkit.errors import CustomStreamError, ErrorCode, StreamError
from chatkit.server import ChatKitServer, stream_widget
from chatkit.types import (
    Action,
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    ClientEffectEvent,
    CustomTask,
    ErrorEvent,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    HiddenContextItem,
    InferenceOptions,
    LockedStatus,
    NoticeEvent,
    ProgressUpdateEvent,
    StreamOptions,
    StructuredInputFreeform,
    StructuredInputItem,
    SyncCustomActionResponse,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemRemovedEvent,
    ThreadItemReplacedEvent,
    ThreadItemUpdated,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    UserMessageTextContent,
    WidgetItem,
    WidgetRootUpdated,
)
from chatkit.widgets import ActionConfig, Button, Card, Markdown, Text, WidgetRoot

from tests.files_of_people import picture
from tests.hosts.scripted_model import Scripted, call, text, thought


class Base(ChatKitServer[Any]):
    def said(self, thread: ThreadMetadata, words: str, context: Any) -> ThreadItemDoneEvent:
        return ThreadItemDoneEvent(
            item=AssistantMessageItem(
                thread_id=thread.id,
                id=self.store.generate_item_id("message", thread, context),
                created_at=datetime.now(),
                content=[AssistantMessageContent(text=words)],
            )
        )


class QuickStart(ChatKitServer[dict]):
    """The official one."""

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: dict
    ) -> AsyncIterator[ThreadStreamEvent]:
        yield ThreadItemDoneEvent(
            item=AssistantMessageItem(
                thread_id=thread.id,
                id=self.store.generate_item_id("message", thread, context),
                created_at=datetime.now(),
                content=[AssistantMessageContent(text="Hello, world!")],
            ),
        )


def seats(chosen: str | None = None) -> Card:
    buttons = [
        Button(
            label=seat,
            disabled=chosen is not None,
            onClickAction=ActionConfig(type="seat.pick", payload={"seat": seat}),
        )
        for seat in ("1A", "1B")
    ]
    return Card(key="seats", children=[Text(value=f"Seat: {chosen or '?'}"), *buttons])


class Seats(Base):
    """Widgets and their actions."""

    async def respond(self, thread, item, context):
        yield self.said(thread, "Pick a seat:", context)
        async for event in stream_widget(
            thread,
            seats(),
            copy_text="seats",
            generate_id=lambda kind: self.store.generate_item_id(kind, thread, context),
        ):
            yield event

    async def action(self, thread, action: Action[str, Any], sender: WidgetItem | None, context):
        seat = (action.payload or {}).get("seat")
        if action.type == "seat.pick" and sender:
            yield ThreadItemReplacedEvent(item=sender.model_copy(update={"widget": seats(seat)}))
            await self.store.add_thread_item(
                thread.id,
                HiddenContextItem(
                    id=self.store.generate_item_id("message", thread, context),
                    thread_id=thread.id,
                    created_at=datetime.now(),
                    content=f"<SEAT>{seat}</SEAT>",
                ),
                context,
            )
            thread.title = f"Seat {seat}"
            await self.store.save_thread(thread, context)
            yield self.said(thread, f"You have {seat}.", context)
            yield ClientEffectEvent(name="seat", data={"seat": seat})
        if action.type == "seat.peek" and sender:
            yield ThreadItemUpdated(
                item_id=sender.id, update=WidgetRootUpdated(widget=seats("peek"))
            )

    async def sync_action(self, thread, action, sender, context):
        assert sender is not None
        item = sender.model_copy(update={"widget": seats("sync")})
        return SyncCustomActionResponse(updated_item=item)


async def growing() -> AsyncGenerator[WidgetRoot, None]:
    for words in ("Dear", "Dear Harry", "Dear Harry, hello"):
        yield Card(children=[Markdown(id="body", value=words, streaming=words[-1] != "o")])


@function_tool
async def look_around(ctx: RunContextWrapper[AgentContext]) -> str:
    """Look."""
    c = ctx.context
    await c.stream(ProgressUpdateEvent(icon="search", text="Looking"))
    await c.add_workflow_task(CustomTask(title="Look left", status_indicator="loading"))
    await c.update_workflow_task(CustomTask(title="Look left", status_indicator="complete"), 0)
    await c.add_workflow_task(CustomTask(title="Look right"))
    await c.stream_widget(growing(), copy_text="a letter")
    await c.stream(ClientEffectEvent(name="blink", data={"twice": True, "n": None}))
    await c.store.add_thread_item(
        c.thread.id,
        HiddenContextItem(
            id=c.generate_id("message"),
            thread_id=c.thread.id,
            created_at=datetime.now(),
            content="<LOOKED/>",
        ),
        c.request_context,
    )
    await c.stream(NoticeEvent(level="info", message="Looked.", title="Well"))
    return "seen"


class Looking(Base):
    """The usual shape of the samples: history, an agent, a title beside it."""

    model = Scripted(
        [thought("rs_1", "I ", "think"), call("look_around")],
        [text("msg_a", "First ", "words."), text("msg_b", "Second.")],
    )

    async def _title(self, thread, item, context):
        if item is None or thread.title is not None:
            return
        run = await Runner.run(Agent(name="t", model=Scripted([])), simple_input(item))
        thread.title = run.final_output.strip(".")
        await self.store.save_thread(thread, context=context)

    async def respond(self, thread, item, context):
        titling = asyncio.create_task(self._title(thread, item, context))
        page = await self.store.load_thread_items(
            thread.id, after=None, limit=20, order="desc", context=context
        )
        items = list(reversed(page.data))
        agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
        result = Runner.run_streamed(
            Agent(name="a", model=self.model, tools=[look_around]),
            await simple_to_agent_input(items),
            context=agent_context,
        )
        async for event in stream_agent_response(agent_context, result):
            yield event
        await titling


def simple_input(item):
    return "".join(part.text for part in item.content)


class Faking(Looking):
    """A Chat Completions model: every id is the same."""

    model = Scripted([text("__fake_id__", "One."), text("__fake_id__", "Two.")])

    async def _title(self, thread, item, context): ...


@function_tool
async def selected(ctx: RunContextWrapper[AgentContext]) -> str:
    """Ask the page."""
    await ctx.context.add_workflow_task(CustomTask(title="Ask the page"))
    ctx.context.client_tool_call = ClientToolCall(name="selected", arguments={"n": 1})
    return "asked"


class Client(Looking):
    """A tool of the page, in the middle of a workflow."""

    model = Scripted([call("selected")], [text("msg_c", "Got it.")])

    async def _title(self, thread, item, context): ...

    async def respond(self, thread, item, context):
        page = await self.store.load_thread_items(
            thread.id, after=None, limit=20, order="desc", context=context
        )
        agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
        agent = Agent(
            name="a",
            model=self.model,
            tools=[selected],
            tool_use_behavior=StopAtTools(stop_at_tool_names=["selected"]),
        )
        result = Runner.run_streamed(
            agent, await simple_to_agent_input(list(reversed(page.data))), context=agent_context
        )
        async for event in stream_agent_response(agent_context, result):
            yield event


class Asking(Base):
    """Structured input."""

    async def respond(self, thread, item, context):
        if item is not None:
            yield ThreadItemDoneEvent(
                item=StructuredInputItem(
                    id=self.store.generate_item_id("message", thread, context),
                    thread_id=thread.id,
                    created_at=datetime.now(),
                    inputs=[StructuredInputFreeform(id="q", question="Why?")],
                )
            )
        else:
            page = await self.store.load_thread_items(thread.id, None, 1, "desc", context)
            yield self.said(thread, f"Because {page.data[0].inputs[0].answer.values[0]}.", context)


class Failing(Base):
    async def respond(self, thread, item, context):
        how = simple_input(item)
        message = AssistantMessageItem(
            id="own-id", thread_id=thread.id, created_at=datetime.now(), content=[]
        )
        yield ThreadItemAddedEvent(item=message)
        yield ThreadItemUpdated(
            item_id="own-id",
            update=AssistantMessageContentPartTextDelta(content_index=0, delta="Half"),
        )
        if how == "custom":
            raise CustomStreamError("No more credit.", allow_retry=False)
        if how == "stream":
            raise StreamError(ErrorCode.STREAM_ERROR)
        if how == "yielded":
            yield ErrorEvent(message="A warning.", allow_retry=True)
            yield self.said(thread, "And on.", context)
            return
        raise ValueError("boom")


class Editing(Base):
    """Items that go again, a status, metadata, options; ids of its own."""

    async def respond(self, thread, item, context):
        thread.metadata = {**thread.metadata, "seen": (thread.metadata.get("seen") or 0) + 1}
        first = self.said(thread, "Never mind.", context)
        yield first
        second = self.said(thread, "Stays.", context)
        yield second
        yield ThreadItemRemovedEvent(item_id=first.item.id)
        yield ThreadItemReplacedEvent(
            item=second.item.model_copy(
                update={"content": [AssistantMessageContent(text="Stays, changed.")]}
            )
        )
        if simple_input(item) == "lock":
            thread.status = LockedStatus(reason="Enough.")
        if simple_input(item) == "drop":
            page = await self.store.load_thread_items(thread.id, None, 50, "asc", context)
            yield ThreadItemRemovedEvent(
                item_id=next(i.id for i in page.data if i.type == "assistant_message")
            )

    def get_stream_options(self, thread, context):
        return StreamOptions(allow_cancel=False)


class Slow(Base):
    """Shows the first half, and waits to be let on."""

    gate = asyncio.Semaphore(0)
    cancelled: list[list[str]] = []

    async def respond(self, thread, item, context):
        id = self.store.generate_item_id("message", thread, context)
        message = AssistantMessageItem(
            id=id, thread_id=thread.id, created_at=datetime.now(), content=[]
        )
        yield ThreadItemAddedEvent(item=message)
        widget = WidgetItem(
            id=self.store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=datetime.now(),
            widget=seats(),
        )
        yield ThreadItemAddedEvent(item=widget)
        yield ThreadItemUpdated(item_id=widget.id, update=WidgetRootUpdated(widget=seats("1B")))
        half = AssistantMessageContentPartTextDelta(content_index=0, delta="Half")
        yield ThreadItemUpdated(item_id=id, update=half)
        await self.gate.acquire()
        raise ValueError("nobody lets it on")

    async def handle_stream_cancelled(self, thread, pending_items, context):
        self.cancelled.append([i.type for i in pending_items])
        await super().handle_stream_cancelled(thread, pending_items, context)


class Blocking(Base):
    """Code that forgets that it shares a loop."""

    gate = threading.Event()

    async def respond(self, thread, item, context):
        yield ProgressUpdateEvent(text="Now")
        yield self.said(thread, f"Let on: {self.gate.wait(20)}", context)


class Endless(Base):
    """Says a word and then nothing more."""

    async def respond(self, thread, item, context):
        yield ProgressUpdateEvent(text="Now")
        await asyncio.Event().wait()


def context_of(asked) -> dict:
    """What a host makes of who asks."""
    return {"who": f"{asked.user_id} by {asked.headers['x-map']}", "how": sorted(asked.headers)}


class Naming(Base):
    """Whose turn is it?"""

    async def respond(self, thread, item, context):
        yield self.said(thread, f"{context['who']} {'authorization' in context['how']}", context)


class Late(Base):
    """A task that outlives its turn, and writes then."""

    written = asyncio.Event()

    async def respond(self, thread, item, context):
        async def later():
            await asyncio.sleep(0.2)
            note = self.said(thread, "Later.", context).item
            await self.store.add_thread_item(thread.id, note, context)
            self.written.set()

        Late.task = asyncio.create_task(later())
        yield self.said(thread, "Done.", context)


class Nul(Base):
    async def respond(self, thread, item, context):
        yield self.said(thread, "a\0b", context)
        yield ThreadItemDoneEvent(
            item=WidgetItem(
                id=self.store.generate_item_id("message", thread, context),
                thread_id=thread.id,
                created_at=datetime.now(),
                widget=Card(children=[Text(value="w\0")]),
                copy_text="c\0",
            )
        )
        yield ClientEffectEvent(name="e", data={"n": "\0"})
        thread.metadata = {"m": "\0"}


class Surrogate(Base):
    async def respond(self, thread, item, context):
        yield self.said(thread, "fine", context)
        yield self.said(thread, "a\ud800b", context)


class Big(Base):
    async def respond(self, thread, item, context):
        # nothing is left of what hangs behind a picture
        url = "data:image/png;base64," + b64encode(picture() + bytes(1_500_000)).decode()
        image = GeneratedImageItem(
            id=self.store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=datetime.now(),
        )
        yield ThreadItemAddedEvent(item=image)
        for n in range(3):
            yield ThreadItemUpdated(
                item_id=image.id,
                update=GeneratedImageUpdated(image=GeneratedImage(id="i", url=url), progress=n / 3),
            )
        yield ThreadItemDoneEvent(
            item=image.model_copy(update={"image": GeneratedImage(id="i", url=url)})
        )


class AsIf(Base):
    """Writes what the person has done as if they had said it."""

    async def respond(self, thread, item, context):
        yield self.said(thread, "ok", context)

    async def action(self, thread, action, sender, context):
        said = UserMessageItem(
            id=self.store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=datetime.now(),
            content=[UserMessageTextContent(text="I clicked")],
            inference_options=InferenceOptions(),
        )
        yield ThreadItemDoneEvent(item=said)
        yield self.said(thread, "and I heard", context)


@output_guardrail
async def never(ctx, agent, output) -> GuardrailFunctionOutput:
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=True)


class Guarded(Looking):
    model = Scripted([call("look_around")], [text("msg_g", "Bad words.")])

    async def _title(self, thread, item, context): ...

    async def respond(self, thread, item, context):
        agent_context = AgentContext(thread=thread, store=self.store, request_context=context)
        agent = Agent(name="a", model=self.model, tools=[look_around], output_guardrails=[never])
        result = Runner.run_streamed(agent, "x", context=agent_context)
        try:
            async for event in stream_agent_response(agent_context, result):
                yield event
        except Exception:
            yield self.said(thread, "I can't say that.", context)


class FailingRetry(Base):
    """The second time it changes what was, and fails."""

    n = 0

    async def respond(self, thread, item, context):
        FailingRetry.n += 1
        if FailingRetry.n == 1:
            async for e in stream_widget(
                thread,
                seats(),
                generate_id=lambda k: self.store.generate_item_id(k, thread, context),
            ):
                yield e
        elif FailingRetry.n == 2:
            yield self.said(thread, "second", context)
        else:
            thread.title = "changed"
            page = await self.store.load_thread_items(thread.id, None, 20, "asc", context)
            widget = next(i for i in page.data if i.type == "widget")
            yield ThreadItemReplacedEvent(item=widget.model_copy(update={"widget": seats("gone")}))
            raise ValueError("no")

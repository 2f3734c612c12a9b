"""A host's own server, and an agent, that count aloud in all that they show."""

import asyncio
from datetime import datetime
from typing import Any

from agents import Agent, RunContextWrapper, function_tool
from chatkit.server import ChatKitServer
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageContentPartTextDelta,
    AssistantMessageItem,
    CustomTask,
    HiddenContextItem,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdated,
    WidgetItem,
    WidgetRootUpdated,
    Workflow,
    WorkflowItem,
    WorkflowTaskUpdated,
)
from chatkit.widgets import Card, Text

from chatbridge.agents import Actions, Assistant, Chat, Pressed
from tests.hosts.scripted_model import Scripted, call

_PAUSE = 0.03


class Counting(ChatKitServer[Any]):
    """Counts as far as the message says; an action counts on, also in the widget that sent it."""

    async def respond(self, thread, item, context):
        said = "".join(part.text for part in item.content)
        async for event in counting(self.store, thread, context, int(said)):
            yield event

    async def action(self, thread, action, sender, context):
        last = action.payload["to"]
        async for event in counting(self.store, thread, context, last, sender):
            yield event


@function_tool
async def count(context: RunContextWrapper[Chat]) -> str:
    """The same, by an agent's tool."""
    chat = context.context
    page = await chat.store.load_thread_items(chat.thread.id, None, 20, "desc", {})
    asked = next(item for item in page.data if item.type == "user_message")
    said = "".join(part.text for part in asked.content)
    async for event in counting(chat.store, chat.thread, {}, int(said)):
        await chat.stream(event)
    return ""


actions = Actions()


@actions.on("count", anywhere=True)
async def count_on(chat: Chat, pressed: Pressed[Any]) -> None:
    assert pressed.sender
    last, sender = pressed.payload["to"], pressed.sender.item
    async for event in counting(chat.store, chat.thread, {}, last, sender):
        await chat.stream(event)


assistant = Assistant(
    Agent(
        name="Counting",
        model=Scripted([call("count")]),
        tools=[count],
        tool_use_behavior="stop_on_first_tool",
    ),
    actions,
)


async def counting(store, thread, context, last, sender=None):
    """All that can be seen of it."""

    def new():
        id = store.generate_item_id("message", thread, context)
        return {"id": id, "thread_id": thread.id, "created_at": datetime.now()}

    text = AssistantMessageItem(**new(), content=[])
    widget = WidgetItem(**new(), widget=counted(0))
    task = Workflow(type="custom", tasks=[CustomTask(title="0")])
    workflow = WorkflowItem(**new(), workflow=task)
    for item in (text, widget, workflow):
        yield ThreadItemAddedEvent(item=item)
    for number in range(1, last + 1):
        note = HiddenContextItem(**new(), content=str(number))
        await store.add_thread_item(thread.id, note, context)
        for shown in (widget, sender) if sender else (widget,):
            root = WidgetRootUpdated(widget=counted(number))
            yield ThreadItemUpdated(item_id=shown.id, update=root)
        task = CustomTask(title=str(number))
        update = WorkflowTaskUpdated(task_index=0, task=task)
        yield ThreadItemUpdated(item_id=workflow.id, update=update)
        delta = AssistantMessageContentPartTextDelta(content_index=0, delta=f"{number} ")
        yield ThreadItemUpdated(item_id=text.id, update=delta)
        await asyncio.sleep(_PAUSE)
    yield ThreadItemDoneEvent(item=widget.model_copy(update={"widget": counted(last)}))
    whole = [AssistantMessageContent(text=said_to(last))]
    yield ThreadItemDoneEvent(item=text.model_copy(update={"content": whole}))


def counted(number: int) -> Card:
    """What stands in a widget that has counted so far."""
    return Card(children=[Text(value=str(number))])


def said_to(last: int) -> str:
    """What has been said by then."""
    return "".join(f"{number} " for number in range(1, last + 1))

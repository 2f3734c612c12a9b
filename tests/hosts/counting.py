"""A host's own server that counts aloud in all that it shows."""

import asyncio
from datetime import datetime
from typing import Any

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

_PAUSE = 0.03


class Counting(ChatKitServer[Any]):
    """Counts as far as the message says; an action counts on, also in the widget that sent it."""

    async def respond(self, thread, item, context):
        said = "".join(part.text for part in item.content)
        async for event in self._counted(thread, context, int(said)):
            yield event

    async def action(self, thread, action, sender, context):
        async for event in self._counted(thread, context, action.payload["to"], sender):
            yield event

    async def _counted(self, thread, context, last, sender=None):
        text = AssistantMessageItem(**self._new(thread, context), content=[])
        widget = WidgetItem(**self._new(thread, context), widget=counted(0))
        task = Workflow(type="custom", tasks=[CustomTask(title="0")])
        workflow = WorkflowItem(**self._new(thread, context), workflow=task)
        for item in (text, widget, workflow):
            yield ThreadItemAddedEvent(item=item)
        for number in range(1, last + 1):
            note = HiddenContextItem(**self._new(thread, context), content=str(number))
            await self.store.add_thread_item(thread.id, note, context)
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

    def _new(self, thread, context):
        id = self.store.generate_item_id("message", thread, context)
        return {"id": id, "thread_id": thread.id, "created_at": datetime.now()}


def counted(number: int) -> Card:
    """What stands in a widget that has counted so far."""
    return Card(children=[Text(value=str(number))])


def said_to(last: int) -> str:
    """What has been said by then."""
    return "".join(f"{number} " for number in range(1, last + 1))

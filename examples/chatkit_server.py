"""A ChatKitServer as the SDK's documentation writes one: seats in a widget, picked by a click.

    chatbridge serve --server chatkit_server:SeatServer

It knows nothing of chatbridge. Its store is the one that it is given.
"""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from chatkit.actions import Action, ActionConfig
from chatkit.server import ChatKitServer, stream_widget
from chatkit.types import (
    AssistantMessageContent,
    AssistantMessageItem,
    HiddenContextItem,
    ThreadItemDoneEvent,
    ThreadItemReplacedEvent,
    ThreadMetadata,
    ThreadStreamEvent,
    UserMessageItem,
    WidgetItem,
)
from chatkit.widgets import Button, Card, Text

Context = dict[str, Any]


def card(chosen: str | None = None) -> Card:
    """Two seats, until one is chosen."""
    buttons = [
        Button(
            label=seat,
            disabled=chosen is not None,
            onClickAction=ActionConfig(type="seat.pick", payload={"seat": seat}),
        )
        for seat in ("1A", "1B")
    ]
    return Card(children=[Text(value=f"Your seat: {chosen or 'none yet'}"), *buttons])


class SeatServer(ChatKitServer[Context]):
    """Answers each message with the seats, and each click with a word."""

    async def respond(
        self, thread: ThreadMetadata, input_user_message: UserMessageItem | None, context: Context
    ) -> AsyncIterator[ThreadStreamEvent]:
        """Show the seats."""
        yield self._said(thread, f"Pick a seat, {context['user_id']}:", context)
        async for event in stream_widget(
            thread,
            card(),
            copy_text="The seats 1A and 1B.",
            generate_id=lambda kind: self.store.generate_item_id(kind, thread, context),
        ):
            yield event

    async def action(
        self,
        thread: ThreadMetadata,
        action: Action[str, Any],
        sender: WidgetItem | None,
        context: Context,
    ) -> AsyncIterator[ThreadStreamEvent]:
        """A seat was picked: the card says so, and what comes next may read it."""
        seat = action.payload["seat"]
        if sender is not None:
            yield ThreadItemReplacedEvent(item=sender.model_copy(update={"widget": card(seat)}))
        note = HiddenContextItem(
            id=self.store.generate_item_id("message", thread, context),
            thread_id=thread.id,
            created_at=datetime.now(),  # noqa: DTZ005  # as the SDK stamps them
            content=f"<PICKED>{seat}</PICKED>",
        )
        await self.store.add_thread_item(thread.id, note, context)
        yield self._said(thread, f"You have seat {seat}.", context)

    def _said(self, thread: ThreadMetadata, text: str, context: Context) -> ThreadItemDoneEvent:
        return ThreadItemDoneEvent(
            item=AssistantMessageItem(
                id=self.store.generate_item_id("message", thread, context),
                thread_id=thread.id,
                created_at=datetime.now(),  # noqa: DTZ005
                content=[AssistantMessageContent(text=text)],
            )
        )

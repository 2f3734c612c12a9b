"""A widget that is shown, as the code of an agent or of an action has it in its hand."""

from typing import Any

from chatkit.agents import AgentContext
from chatkit.types import ThreadItemRemovedEvent, ThreadItemReplacedEvent, WidgetItem
from chatkit.widgets import WidgetRoot


class Entry:
    """A widget that is shown, by what can be done with it."""

    def __init__(self, item: WidgetItem, chat: AgentContext[Any]) -> None:
        self.item = item
        self._chat = chat

    async def replace(self, widget: WidgetRoot, copy_text: str | None = None) -> None:
        """Show this in its place; without a new `copy_text` the model reads the old one."""
        known = self.item.copy_text if copy_text is None else copy_text
        self.item = WidgetItem(
            id=self.item.id,
            thread_id=self.item.thread_id,
            created_at=self.item.created_at,
            widget=widget,
            copy_text=known,
        )
        await self._chat.stream(ThreadItemReplacedEvent(item=self.item))

    async def remove(self) -> None:
        """Take it back."""
        await self._chat.stream(ThreadItemRemovedEvent(item_id=self.item.id))

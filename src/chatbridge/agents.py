"""For an agent of one's own: what is shown of what it does, and what a press on that does."""

from chatbridge.adapters.chatkit.actions import Actions, Assistant, Pressed
from chatbridge.adapters.chatkit.chat import Chat
from chatbridge.adapters.chatkit.entries import Entry
from chatbridge.domain.model.tool import Brought

__all__ = ["Actions", "Assistant", "Brought", "Chat", "Entry", "Pressed"]

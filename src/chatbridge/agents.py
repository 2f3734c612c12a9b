"""For an agent of one's own: what its tools can show, and what a press on it does."""

from chatbridge.adapters.chatkit.actions import Actions, Assistant, Pressed
from chatbridge.adapters.chatkit.chat import Chat, Entry

__all__ = ["Actions", "Assistant", "Chat", "Entry", "Pressed"]

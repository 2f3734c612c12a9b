"""chatbridge: a ChatKit back end that keeps every conversation, message and tool call."""

from chatbridge.bridge import Bridge
from chatbridge.domain.model.asked import Asked
from chatbridge.domain.model.caller import Caller

__all__ = ["Asked", "Bridge", "Caller"]

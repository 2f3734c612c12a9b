"""chatbridge: a ChatKit back end that keeps every conversation, message and tool call."""

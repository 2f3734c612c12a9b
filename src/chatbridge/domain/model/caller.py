"""Who is calling, as far as a token can tell."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from chatbridge.domain.model.identifiers import ConversationId, UserId


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An authenticated user. A `session` is good for the chat protocol only, a `service` (a host's
    back end that names the user) for making sessions only.

    `conversation_id` binds a session to that one conversation; None means any of the user's.
    `claims` is what else the sign-in says of the user, for the agent's tools.
    """

    user_id: UserId
    via: Literal["token", "session", "service"] = "token"
    conversation_id: ConversationId | None = None
    claims: Mapping[str, Any] = field(default_factory=dict[str, Any])


# What a token of our own is good for, and nothing else: its audience.

CHAT_SESSION = "chatbridge:chat-session"
"""The chat protocol, for any conversation of the user or for one."""

TASKS_TOOLS = "chatbridge:tasks"
"""The bundled tool server that keeps the user's tasks."""

DEVELOPMENT = "chatbridge:development"
"""Everything a user may do, in development only."""

"""What the REST API takes and answers."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from chatbridge.domain.model.conversation import MAX_TITLE, Conversation
from chatbridge.domain.model.message import MAX_CONTENT, Message
from chatbridge.domain.model.task import Task
from chatbridge.domain.model.tool_call import ToolCall

_ID = "^[A-Za-z0-9_.:-]{1,128}$"


class Body(BaseModel):
    """A request's body: a field that is not known is a mistake."""

    model_config = ConfigDict(extra="forbid")


class ChatBody(Body):
    """A message to answer, in a conversation of the caller's or in a new one."""

    message: str = Field(max_length=MAX_CONTENT, examples=["add a task: buy oat milk"])
    conversation_id: str | None = Field(None, pattern=_ID)


class RenameBody(Body):
    """A new title."""

    title: str = Field(min_length=1, max_length=MAX_TITLE, examples=["Shopping"])


class SessionBody(Body):
    """What a session is to be good for; none: any conversation of the caller's."""

    conversation_id: str | None = Field(None, pattern=_ID)


class ConversationOut(BaseModel):
    """A conversation."""

    id: str
    title: str | None
    status: Literal["active", "locked", "closed"]
    status_reason: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, conversation: Conversation) -> "ConversationOut":
        """The conversation without its owner, who is in the path."""
        return cls.model_validate(conversation, from_attributes=True)


class ToolCallOut(BaseModel):
    """A call of a tool. `unknown`: it was started, and nobody saw it end."""

    id: str
    name: str
    arguments: str = Field(description="JSON, as the model wrote it.")
    output: str | None
    state: Literal["running", "succeeded", "failed", "cancelled", "unknown"]
    started_at: datetime
    ended_at: datetime | None

    @classmethod
    def of(cls, call: ToolCall) -> "ToolCallOut":
        """The call as it is kept."""
        return cls.model_validate(call, from_attributes=True)


class MessageOut(BaseModel):
    """A message. `partial` is an answer that was cut off; `tools` holds tool calls and no text."""

    id: str
    role: Literal["user", "assistant"]
    kind: Literal["text", "partial", "tools", "shown"]
    content: str
    tool_calls: list[ToolCallOut]
    created_at: datetime

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        """The message without what only another surface can read."""
        return cls.model_validate(message, from_attributes=True)


class TaskOut(BaseModel):
    """A task of the bundled tools; `number` is the owner's own count."""

    number: int
    title: str
    done: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, task: Task) -> "TaskOut":
        """The task as it is kept."""
        return cls.model_validate(task, from_attributes=True)


class ConversationPage(BaseModel):
    """Some conversations; `next` is the cursor of the next page."""

    items: list[ConversationOut]
    next: str | None


class MessagePage(BaseModel):
    """Some messages; `next` is the cursor of the next page."""

    items: list[MessageOut]
    next: str | None


class TaskList(BaseModel):
    """All tasks of the caller's, by number."""

    items: list[TaskOut]


class TurnError(BaseModel):
    """Why a turn could not be completed."""

    code: str
    detail: str


class TurnOut(BaseModel):
    """A turn at its end, with the messages of the answer in order."""

    conversation_id: str
    turn_id: str
    state: Literal["completed", "failed", "cancelled", "interrupted"]
    messages: list[MessageOut]
    error: TurnError | None = None


class CancelOut(BaseModel):
    """Whether there was a running turn to stop."""

    cancelled: bool


class SessionOut(BaseModel):
    """A short-lived secret for POST /chatkit."""

    client_secret: str
    expires_at: int = Field(description="Unix time, seconds.")
    api_url: str
    conversation_id: str | None = None


class HealthOut(BaseModel):
    """A sign of life."""

    status: Literal["ok", "ready"]


def event_schema() -> dict[str, Any]:
    """The documentation of a turn's stream."""
    return {"text/event-stream": {"schema": {"type": "string"}, "example": EVENTS_EXAMPLE}}


EVENTS_EXAMPLE = (
    "event: turn.started\n"
    'data: {"conversation_id": "conv_…", "turn_id": "turn_…"}\n\n'
    "id: 1\nevent: text.delta\n"
    'data: {"type": "text.delta", "message_id": "msg_…", "text": "Added "}\n\n'
)

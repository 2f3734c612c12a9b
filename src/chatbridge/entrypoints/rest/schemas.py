"""What the REST API takes and answers."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.conversation import Conversation, Status
from chatbridge.domain.model.identifiers import ID_PATTERN
from chatbridge.domain.model.limits import MAX_CONTENT, MAX_ENTRIES, MAX_REASON, MAX_TITLE
from chatbridge.domain.model.message import FeedbackKind, Message, Role, VisibleKind
from chatbridge.domain.model.question import Answers, Form
from chatbridge.domain.model.task import Task
from chatbridge.domain.model.tool_call import Asks, CallState, ToolCall
from chatbridge.domain.model.turn_event import EndState
from chatbridge.domain.model.usage import Usage
from chatbridge.entrypoints.bodies import Body
from chatbridge.entrypoints.rest.examples import (
    ATTACHMENT,
    CALL,
    CALLED,
    CONVERSATION,
    CONVERSATION_ID,
    CURSOR,
    LINK,
    SAID,
    TASK,
    USAGE,
    example,
)

ID = f"^{ID_PATTERN}$"


class ChatBody(Body):
    """A message to answer, in a conversation of the caller's or in a new one."""

    message: str = Field(max_length=MAX_CONTENT, examples=["add a task: buy oat milk"])
    conversation_id: str | None = Field(None, pattern=ID, examples=[CONVERSATION_ID])
    attachments: list[Annotated[str, Field(pattern=ID)]] = Field(
        default=[],
        max_length=MAX_ENTRIES,
        description="The ids of files that were brought and not sent yet.",
        examples=[[]],
    )


class ChangeBody(Body):
    """What is to be another one: the title, the status, or both.

    Only an `active` conversation takes messages. What `locked` and `closed` mean else is told by
    the page; the reason, which goes with the status, is shown there.
    """

    title: str | None = Field(None, min_length=1, max_length=MAX_TITLE, examples=["Shopping"])
    status: Status | None = Field(None, examples=["locked"])
    status_reason: str | None = Field(None, max_length=MAX_REASON)

    @model_validator(mode="after")
    def _changes(self) -> Self:
        if self.title is None and self.status is None:
            raise PydanticCustomError("missing", "give a title, a status, or both")
        if self.status_reason is not None and self.status in (None, "active"):
            raise PydanticCustomError("reason", "a reason goes with `locked` or `closed`")
        return self


class FeedbackBody(Body):
    """What the owner of a message says of it."""

    kind: FeedbackKind = Field(examples=["positive"])


class ConversationOut(BaseModel):
    """A conversation."""

    model_config = example(CONVERSATION)

    id: str
    title: str | None
    status: Status
    status_reason: str | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, conversation: Conversation) -> "ConversationOut":
        """The conversation without its owner, who is in the path."""
        return cls.model_validate(conversation, from_attributes=True)


class ProposalOut(BaseModel):
    """The tool that a person is asked about, as it is described at that moment."""

    fingerprint: str = Field(description="A hash of all that the tool's server says of it.")
    may_stand: bool = Field(description="It may be approved for the whole conversation.")
    ended: str | None = Field(
        description="The id of such an approval that has ended, because the tool's description, "
        "its schema or its annotations are not those any more."
    )
    words: str = Field(
        "", description="What the call would do, as the tool's server says, if it does."
    )


class AttachmentOut(BaseModel):
    """A file that a person has brought, or that a tool or a model has made."""

    model_config = example(ATTACHMENT)

    id: str
    name: str
    media_type: str
    size: int = Field(description="Bytes.")

    @classmethod
    def of(cls, attached: Attached) -> "AttachmentOut":
        """The file as it is kept."""
        return cls.model_validate(attached, from_attributes=True)


class LinkOut(BaseModel):
    """What a tool points to; nobody here has fetched it."""

    model_config = example(LINK)

    uri: str
    name: str
    media_type: str = Field(description="As the tool says; empty where it does not.")


class ToolCallOut(BaseModel):
    """A call of a tool. `waiting`: it `asks` a person, and is not run before. `rejected`,
    `withdrawn`: it was not run. `unknown`: it was started, and nobody saw it end."""

    model_config = example(CALL)

    id: str
    name: str = Field(
        description="The tool's; `tools of <server>` where that server could not be asked for its."
    )
    arguments: str = Field(description="JSON, as the model wrote it.")
    output: str | None
    state: CallState
    started_at: datetime
    ended_at: datetime | None
    hosted: bool = Field(description="The model's provider ran it, not chatbridge.")
    source: str = Field(description="The tool server that has it; empty where none has.")
    asks: Asks | None = Field(None, description="What it asks, or asked, of a person.")
    form: Form | None = Field(None, description="The questions of one that asks for answers.")
    answers: Answers | None = Field(None, description="What was answered, by the questions' ids.")
    proposal: ProposalOut | None = Field(None, description="What a person was asked to approve.")
    files: list[AttachmentOut] = Field([], description="What it has brought besides its output.")
    links: list[LinkOut] = Field([], description="What it points to.")

    @classmethod
    def of(cls, call: ToolCall) -> "ToolCallOut":
        """The call as it is kept."""
        return cls.model_validate(call, from_attributes=True)


class CitationOut(BaseModel):
    """A source that a message names: a page of the web, or (without `url`) a file."""

    model_config = example({"title": "Oats", "url": "https://example.com/oats", "index": 31})

    title: str
    url: str | None
    index: int | None = Field(description="Behind which character of the content.")


class MessageOut(BaseModel):
    """A message. `partial` is an answer that was cut off; `tools` holds tool calls and no text."""

    model_config = example(SAID)

    id: str
    role: Role
    kind: VisibleKind
    content: str
    tool_calls: list[ToolCallOut]
    citations: list[CitationOut]
    attachments: list[AttachmentOut]
    feedback: FeedbackKind | None = Field(None, description="What its owner has said of it.")
    created_at: datetime

    @classmethod
    def of(cls, message: Message) -> "MessageOut":
        """The message without what only another surface can read."""
        return cls.model_validate(message, from_attributes=True)


class TaskOut(BaseModel):
    """A task of the bundled tools; `number` is the owner's own count."""

    model_config = example(TASK)

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

    model_config = example({"items": [CONVERSATION], "next": CURSOR})

    items: list[ConversationOut]
    next: str | None


class MessagePage(BaseModel):
    """Some messages; `next` is the cursor of the next page."""

    model_config = example({"items": [CALLED, SAID], "next": SAID["id"]})

    items: list[MessageOut]
    next: str | None


class TaskList(BaseModel):
    """All tasks of the caller's, by number."""

    model_config = example({"items": [TASK]})

    items: list[TaskOut]


class TurnError(BaseModel):
    """Why a turn could not be completed."""

    model_config = example({"code": "interrupted", "detail": "The answer was interrupted."})

    code: str
    detail: str


class UsageOut(BaseModel):
    """The tokens that the model has read and written."""

    model_config = example(USAGE)

    input_tokens: int
    output_tokens: int

    @classmethod
    def of(cls, usage: Usage) -> "UsageOut":
        """What the provider has counted."""
        return cls.model_validate(usage, from_attributes=True)


class TurnOut(BaseModel):
    """A turn at its end, or where it waits for a person, with the answer's messages in order."""

    model_config = example(
        {
            "conversation_id": CONVERSATION_ID,
            "turn_id": "turn_3e4f5a6b7c8d9e0f1a2b3c4d5e6f7a8b",
            "state": "completed",
            "messages": [CALLED, SAID],
            "error": None,
            "usage": USAGE,
        }
    )

    conversation_id: str
    turn_id: str
    state: EndState | Literal["waiting"]
    messages: list[MessageOut]
    error: TurnError | None = None
    usage: UsageOut | None = Field(
        default=None, description="Null where the provider has counted nothing."
    )


class TranscriptionOut(BaseModel):
    """What is said in a recording."""

    model_config = example({"text": "Add a task: buy oat milk."})

    text: str


class CancelOut(BaseModel):
    """Whether there was a running turn to stop."""

    model_config = example({"cancelled": True})

    cancelled: bool

"""One kept entry of a conversation, and exactly one item on every surface."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.identifiers import ConversationId, MessageId
from chatbridge.domain.model.limits import MAX_CONTENT
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.tool_call import ToolCall

Role = Literal["user", "assistant"]
VisibleKind = Literal["text", "partial", "tools", "shown"]
Kind = Literal[VisibleKind, "note"]
FeedbackKind = Literal["positive", "negative"]

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")

UNREADABLE = "(This entry can't be shown.)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An envelope that the domain reads and a payload that it only carries.

    `kind` is `text`, `partial` (cut off), `tools` (the calls of one model step, no text), `shown`
    (a widget, an image ... of a surface) or `note` (said by nobody; never leaves through a
    surface). `position` is its place in the conversation, counted from 1; 0 until it is kept.
    `attachments` are what a person has attached, or what was made and is shown in it.
    `feedback` is the owner's verdict on it, which a page of what is kept tells.
    """

    id: MessageId
    conversation_id: ConversationId
    role: Role
    kind: Kind
    created_at: datetime
    content: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    citations: tuple[Citation, ...] = ()
    attachments: tuple[Attached, ...] = ()
    payload: Payload | None = None
    position: int = 0
    feedback: FeedbackKind | None = None

    @property
    def counted(self) -> bool:
        """Whether the context window counts it."""
        return self.kind in ("text", "partial")

    @property
    def carried(self) -> tuple[Attached, ...]:
        """Every file that is shown with it."""
        return (*self.attachments, *(file for call in self.tool_calls for file in call.files))

    @property
    def size(self) -> int:
        """About how many bytes it is, as text."""
        calls = (f"{call.arguments}{call.output}" for call in self.tool_calls)
        payload = json.dumps(self.payload) if self.payload else ""
        texts = (self.content, payload, *calls)
        return sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)


Words = Callable[[Message], str]


def content_of(message: Message) -> str:
    """What a message says by its text alone."""
    return message.content


def fitting(messages: Sequence[Message], room: int) -> tuple[Message, ...]:
    """The first of them up to the one with which they are `room` bytes, at least one."""
    held = 0
    for count, message in enumerate(messages, 1):
        held += message.size
        if held >= room:
            return tuple(messages[:count])
    return tuple(messages)


def unreadable(
    id: MessageId, conversation_id: ConversationId, created_at: datetime, *, position: int = 0
) -> Message:
    """What stands in the place of an entry that this version can't read; no model reads it."""
    return Message(
        id=id,
        conversation_id=conversation_id,
        role="assistant",
        kind="shown",
        content=UNREADABLE,
        created_at=created_at,
        position=position,
    )


def storable(text: str) -> bool:
    """Whether a database and every client can hold the text: no NUL, no lone surrogate."""
    # in passing: most texts are ASCII, and hundreds of thousands of characters are looked at
    return "\0" not in text and (text.isascii() or _UNSTORABLE.search(text) is None)


def cleaned(text: str) -> str:
    """The text with what is not storable replaced by U+FFFD, for what models and tools say."""
    return _UNSTORABLE.sub("\ufffd", text)


def checked_content(text: str, *, attached: bool = False) -> str:
    """What a person says, as it is; with something `attached`, maybe nothing.

    Raises Invalid when it is empty, too long or not storable.
    """
    if not text.strip() and not attached:
        raise refusals.empty_text()
    if len(text) > MAX_CONTENT:
        raise refusals.text_too_long()
    if not storable(text):
        raise refusals.unstorable("text")
    return text

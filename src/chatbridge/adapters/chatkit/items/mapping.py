"""ChatKit's threads and items, there and back: the one file that speaks both languages.

What the domain reads is lifted into the envelope; the item itself rides along as payload, so that
it comes back as it went in, whatever ChatKit adds to it later. A message without a payload (a
turn or the REST surface wrote it) is built from its envelope, and so is the badge of a tool call.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, assert_never, cast

from chatkit.types import (
    ActiveStatus,
    Annotation,
    AssistantMessageContent,
    AssistantMessageItem,
    Attachment,
    ClientToolCallItem,
    ClosedStatus,
    EndOfTurnItem,
    FileAttachment,
    FileSource,
    GeneratedImageItem,
    HiddenContextItem,
    ImageAttachment,
    InferenceOptions,
    LockedStatus,
    SDKHiddenContextItem,
    StructuredInputItem,
    TaskItem,
    ThreadItem,
    ThreadMetadata,
    URLSource,
    UserMessageContent,
    UserMessageInput,
    UserMessageItem,
    UserMessageTextContent,
    WidgetItem,
    WorkflowItem,
)
from pydantic import AnyUrl, TypeAdapter, ValidationError

from chatbridge.adapters.chatkit.items.asked import asked_item
from chatbridge.adapters.chatkit.items.badges import badges
from chatbridge.adapters.chatkit.items.inline import addressed
from chatbridge.adapters.chatkit.items.updates import cut_off, updated
from chatbridge.domain.model import refusals
from chatbridge.domain.model.attachment import Attached
from chatbridge.domain.model.citation import Citation
from chatbridge.domain.model.conversation import Conversation
from chatbridge.domain.model.identifiers import ConversationId, MessageId, new_message_id
from chatbridge.domain.model.limits import MAX_CONTENT, MAX_DATA
from chatbridge.domain.model.message import UNREADABLE, Kind, Message, Role, checked_content
from chatbridge.domain.model.tag import at

_log = logging.getLogger(__name__)
_ITEM: TypeAdapter[ThreadItem] = TypeAdapter(ThreadItem)
# beside the item, in its payload: no client is shown it
_TOLD = "tags_told"
_LIFTED = {"id", "thread_id", "created_at"}


@dataclass(frozen=True, slots=True)
class Display:
    """How threads and items are shown: with pictures from these domains only, and tool calls by
    their names alone or with what they were called with and what came of them. `address` is where
    the bytes of an attachment are got, for a while; two that are equal say the same.
    """

    pictures: tuple[str, ...] = ()
    details: bool = False
    address: Callable[[Attached], str] | None = None


BY_NAME = Display()


def to_thread(conversation: Conversation, pictures: Sequence[str] = ()) -> ThreadMetadata:
    """The conversation as ChatKit's client sees it, with pictures from its own domains only, or, if
    it has none of its own, from these."""
    own = conversation.pictures
    return ThreadMetadata(
        id=conversation.id,
        title=conversation.title,
        created_at=conversation.created_at,
        status=_to_status(conversation),
        allowed_image_domains=list(pictures if own is None else own),
        metadata=dict(conversation.metadata),
    )


def to_item(message: Message, display: Display = BY_NAME) -> ThreadItem:
    """The message as exactly one item. One that can't be read is shown as such, not hidden."""
    if message.payload is None:
        return _built(message, display)
    payload = {**message.payload, **_head(message)}
    if message.role == "user" and message.attachments and not payload.get("attachments"):
        payload["attachments"] = _attachments(message, display)
    elif message.attachments:
        payload = {**addressed(payload, message.attachments, display.address)}
    if updates := payload.pop("updates", ()):
        payload = updated(payload, updates)
        payload = cut_off(payload) if message.position else payload
    try:
        return _ITEM.validate_python(payload)
    except ValidationError:
        _log.warning("message %s: the payload is no item of this ChatKit version", message.id)
        return _assistant(message, message.content or UNREADABLE)


def to_message(item: ThreadItem) -> Message:
    """The item as a message that keeps it whole."""
    role, kind, content = read_item(item)
    return Message(
        id=MessageId(item.id),
        conversation_id=ConversationId(item.thread_id),
        role=role,
        kind=kind,
        content=content,
        # ChatKit stamps items with naive local time
        created_at=item.created_at.astimezone(UTC),
        payload=item.model_dump(mode="json", exclude=_LIFTED),
    )


def to_user_message(
    asked: UserMessageInput,
    conversation_id: ConversationId,
    attachments: tuple[Attached, ...] = (),
    told: Mapping[str, str] | None = None,
    records: Sequence[Mapping[str, Any]] = (),
) -> Message:
    """What a person has sent, under an id of ours, with what its tags are `told` to be besides, and
    `records` of files that a host's own store keeps.
    Raises Invalid for what can't be kept."""
    tags = [part for part in asked.content if part.type == "input_tag"]
    if sum(len(tag.model_dump_json()) for tag in tags) > MAX_DATA:
        raise refusals.data_too_large()
    if len(asked.quoted_text or "") > MAX_CONTENT:
        raise refusals.text_too_long()
    item = UserMessageItem(
        id=new_message_id(),
        thread_id=conversation_id,
        created_at=datetime.now(UTC),
        content=asked.content,
        quoted_text=asked.quoted_text,
        inference_options=asked.inference_options,
    )
    message = replace(to_message(item), attachments=attachments)
    if told:
        message = replace(message, payload={**(message.payload or {}), _TOLD: dict(told)})
    if records:
        shown = [{**record, "thread_id": conversation_id} for record in records]
        message = replace(message, payload={**(message.payload or {}), "attachments": shown})
    checked_content(message.content, attached=bool(attachments or records))
    return message


def told_of_tags(message: Message) -> Mapping[str, str]:
    """What the host's own function has said of its tags when it was sent, by their ids."""
    return cast(Mapping[str, str], (message.payload or {}).get(_TOLD) or {})


def to_attachment(
    attached: Attached, thread_id: str | None = None, display: Display = BY_NAME
) -> Attachment:
    """The file as ChatKit shows it: a picture, where there is an address that it is got at."""
    id, name, media_type = attached.id, attached.name, attached.media_type
    if attached.is_image and display.address:
        address = AnyUrl(display.address(attached))
        return ImageAttachment(
            id=id, name=name, mime_type=media_type, thread_id=thread_id, preview_url=address
        )
    return FileAttachment(id=id, name=name, mime_type=media_type, thread_id=thread_id)


def _attachments(message: Message, display: Display) -> list[Attachment]:
    where = message.conversation_id
    return [to_attachment(attached, where, display) for attached in message.attachments]


def to_annotation(citation: Citation) -> Annotation:
    """The citation as ChatKit shows a source."""
    if citation.url is None:
        source = FileSource(filename=citation.title, title=citation.title)
    else:
        source = URLSource(url=citation.url, title=citation.title)
    return Annotation(source=source, index=citation.index)


def _to_status(conversation: Conversation) -> ActiveStatus | LockedStatus | ClosedStatus:
    match conversation.status:
        case "active":
            return ActiveStatus()
        case "locked":
            return LockedStatus(reason=conversation.status_reason)
        case "closed":
            return ClosedStatus(reason=conversation.status_reason)


def _head(message: Message) -> dict[str, Any]:
    return {
        "id": message.id,
        "thread_id": message.conversation_id,
        "created_at": message.created_at,
    }


def _built(message: Message, display: Display) -> ThreadItem:
    if message.role == "user":
        content: list[UserMessageContent] = [UserMessageTextContent(text=message.content)]
        options = InferenceOptions()
        return UserMessageItem(
            **_head(message),
            content=content,
            attachments=_attachments(message, display),
            inference_options=options,
        )
    if message.kind == "tools":
        if asked := asked_item(message, _head(message)):
            return asked
        told = badges(message.tool_calls, details=display.details, address=display.address)
        return WidgetItem(**_head(message), **told)
    return _assistant(message, message.content)


def _assistant(message: Message, text: str) -> AssistantMessageItem:
    annotations = [to_annotation(citation) for citation in message.citations]
    content = [AssistantMessageContent(text=text, annotations=annotations)] if text else []
    return AssistantMessageItem(**_head(message), content=content)


def read_item(item: ThreadItem) -> tuple[Role, Kind, str]:
    """What the domain reads of an item: whose it is, of which kind, and its text."""
    match item:
        case UserMessageItem():
            return "user", "text", "".join(map(_said, item.content))
        case AssistantMessageItem():
            return "assistant", "text", "".join(part.text for part in item.content)
        case HiddenContextItem() | SDKHiddenContextItem():
            content = item.content
            return "assistant", "note", content if isinstance(content, str) else json.dumps(content)
        case WidgetItem():
            return "assistant", "shown", item.copy_text or ""
        case (
            ClientToolCallItem()
            | TaskItem()
            | WorkflowItem()
            | GeneratedImageItem()
            | StructuredInputItem()
            | EndOfTurnItem()
        ):
            return "assistant", "shown", ""
        case _:
            assert_never(item)


def _said(part: UserMessageContent) -> str:
    return part.text if isinstance(part, UserMessageTextContent) else at(part.text)

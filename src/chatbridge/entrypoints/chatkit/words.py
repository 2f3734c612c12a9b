"""What an entry says to a model: of a person's its text, its quote, and what its tags stand for."""

from collections.abc import Mapping
from typing import Any

from chatkit.types import (
    UserMessageContent,
    UserMessageItem,
    UserMessageTagContent,
    UserMessageTextContent,
)

from chatbridge.adapters.chatkit.items.mapping import to_item, told_of_tags
from chatbridge.domain.model.attachment import ATTACHED
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tag import at, tags_in_words, unbroken
from chatbridge.entrypoints.chatkit.shown_words import shown_words

_QUOTED = "The user is referring to this in particular:\n{}"


def words_of(message: Message) -> str:
    """The message as a model reads it; a text alone stays as it is, and tool calls say nothing.

    A quote is worded as ChatKit's own converter does it, but also when it is not the last message:
    what was sent once stays the beginning of the next request.
    """
    if message.kind in ("shown", "note"):
        return shown_words(message)
    if message.role == "assistant":
        return message.content
    item = to_item(message) if message.payload else None
    attached = [ATTACHED + "; ".join(file.told for file in message.attachments)]
    if not isinstance(item, UserMessageItem):
        said = [message.content, *(attached if message.attachments else [])]
        return "\n\n".join(filter(None, said)) if message.attachments else message.content
    named = (part for part in item.content if isinstance(part, UserMessageTagContent))
    tags = {(part.id, part.text): part for part in named}
    said = ["".join(map(_text, item.content))]
    said += [_QUOTED.format(item.quoted_text)] if item.quoted_text else []
    more = told_of_tags(message)
    said += [tags_in_words(_known(tag, more) for tag in tags.values())] if tags else []
    said += attached if message.attachments else []
    return "\n\n".join(filter(None, said))


def _text(part: UserMessageContent) -> str:
    return part.text if isinstance(part, UserMessageTextContent) else at(part.text)


def _known(tag: UserMessageTagContent, more: Mapping[str, str]) -> dict[str, Any]:
    known = {
        "name": unbroken(tag.text).removeprefix("@"),
        "id": tag.id,
        "group": tag.group,
        "data": tag.data or None,
        "known": more.get(tag.id),
    }
    return {name: value for name, value in known.items() if value is not None}

"""Names of things. Ours are a prefix and 122 random bits, so nobody can guess or repeat one."""

import re
from typing import NewType
from uuid import uuid4

UserId = NewType("UserId", str)
ConversationId = NewType("ConversationId", str)
MessageId = NewType("MessageId", str)
TurnId = NewType("TurnId", str)
CallId = NewType("CallId", str)
AttachmentId = NewType("AttachmentId", str)

ID_PATTERN = "[A-Za-z0-9_.:-]{1,128}"
"""What a caller may give as an id of ours."""

# Ids of Better Auth, UUIDs, `auth0|1`, e-mail addresses. A user id is a part of our paths: no
# slash, and not `.` or `..`, which a client would resolve before it asks.
_USER_ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9_.:@|+=~'-]{1,128}")


def is_user_id(text: str) -> bool:
    """Whether a user of this id could ever be known."""
    return bool(_USER_ID.fullmatch(text))


def new_conversation_id() -> ConversationId:
    """`conv_` and 32 hex digits."""
    return ConversationId(f"conv_{uuid4().hex}")


def new_message_id() -> MessageId:
    """`msg_` and 32 hex digits."""
    return MessageId(f"msg_{uuid4().hex}")


def new_turn_id() -> TurnId:
    """`turn_` and 32 hex digits."""
    return TurnId(f"turn_{uuid4().hex}")


def new_attachment_id() -> AttachmentId:
    """`att_` and 32 hex digits."""
    return AttachmentId(f"att_{uuid4().hex}")


def new_call_id() -> CallId:
    """`call_` and 32 hex digits; never the model's own, which may repeat."""
    return CallId(f"call_{uuid4().hex}")

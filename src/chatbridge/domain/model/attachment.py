"""A file that a person brings, or that a tool or a model makes: a row that stands for its bytes,
which lie in the blob store."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from chatbridge.domain.model.identifiers import AttachmentId, ConversationId, UserId
from chatbridge.domain.model.payload import Payload
from chatbridge.domain.model.words import in_a_line, quoted

AttachmentState = Literal["awaited", "kept", "removed"]
Unread = Literal["away", "no room"]

ATTACHED = "The user has attached these files: "
"""What begins a message's words about its files, behind all others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """What a message says of a file that it carries; `size` is in bytes."""

    id: AttachmentId
    name: str
    media_type: str
    size: int

    @property
    def is_image(self) -> bool:
        """Whether it is shown as a picture, and read as one."""
        return self.media_type.startswith("image/")

    @property
    def told(self) -> str:
        """How a model is told of it: nothing in its name goes on as our words."""
        return f"{quoted(in_a_line(self.name))} ({self.media_type}, {self.size:,} bytes)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """What a tool points to, and nobody here has fetched: a file or a page, at its `uri`."""

    uri: str
    name: str
    media_type: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Bytes that a tool or a model has made, as they came: of the type that is said."""

    name: str
    media_type: str
    data: bytes


@dataclass(frozen=True, slots=True)
class KeptFiles:
    """Those that are kept, each once; and of every one what became of it, in words."""

    files: tuple[Attached, ...] = ()
    words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment(Attached):
    """One of a person's: `awaited` until its bytes are there, of which `size` is announced till
    then. `sent` with a message, it belongs to that message's conversation. One that is `made` was
    brought by nobody: it belongs to the conversation from the start, and is sent when the message
    is kept that shows it.

    Each attempt to bring its bytes has a name of its own, so that no late one changes what is
    kept: `tries` were begun, and `number` is the one that is kept. One whose bytes a host's own
    store keeps has a `record`, which is what that says of it, and none of its bytes are here.
    """

    user_id: UserId
    state: AttachmentState
    created_at: datetime
    sent: bool = False
    made: bool = False
    conversation_id: ConversationId | None = None
    tries: int = 0
    number: int = 0
    record: Payload | None = None

    @property
    def blob(self) -> str:
        """Under which name its bytes lie."""
        return self.attempt(self.number)

    @property
    def blobs(self) -> tuple[str, ...]:
        """Every name under which any of its bytes may lie."""
        return tuple(self.attempt(number) for number in range(1, self.tries + 1))

    def attempt(self, number: int) -> str:
        """Under which name the bytes of one attempt to bring it lie."""
        return f"attachments/{self.id[-2:]}/{self.id}_{number}"

    @property
    def attached(self) -> Attached:
        """What a message says of it."""
        return Attached(id=self.id, name=self.name, media_type=self.media_type, size=self.size)


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """How much one person may bring: bytes of a file, files of a message, and both of a day."""

    max_bytes: int
    max_files: int
    max_bytes_a_day: int
    max_files_a_day: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A file of a message, and what is in it: of a text perhaps only the beginning.

    `content` is None where that is `unread`, or is of a kind that no model reads.
    """

    attached: Attached
    content: bytes | None = None
    unread: Unread | None = None

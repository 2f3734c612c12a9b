"""What an application of somebody else's brings with it, in place of what settings name."""

from dataclasses import dataclass
from typing import Any

from chatbridge.adapters.chatkit.context import ContextOf, nothing_more
from chatbridge.adapters.openai.instructed import Instructions
from chatbridge.domain.model.tag import TagSearch, TagWords
from chatbridge.entrypoints.host_sign_in import SignedIn


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """`agent` is an agents.Agent, an Assistant, or a function that makes one; all else is as Bridge
    has it."""

    agent: Any = None
    server: Any = None
    instructions: str | Instructions | None = None
    signed_in: SignedIn | None = None
    context: ContextOf = nothing_more
    tag_search: TagSearch | None = None
    tag_words: TagWords | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for what nobody could call."""
        given = {
            "authenticator": self.signed_in,
            "context": self.context,
            "tag_search": self.tag_search,
            "tag_words": self.tag_words,
        }
        for name, what in given.items():
            if what is not None and not callable(what):
                raise ValueError(
                    f"`{name}` is of type {type(what).__name__}; it must be a function."
                )
        told = self.instructions
        if told is not None and not isinstance(told, str) and not callable(told):
            raise ValueError(
                f"`instructions` are of type {type(told).__name__}; they must be a text, or a "
                "function of who asks."
            )

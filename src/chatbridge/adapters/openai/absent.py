"""Sources of tools that are away: the model is told in each turn, the person once."""

from collections.abc import Iterable, Sequence
from typing import Any

from agents import Agent

from chatbridge.adapters.openai.added import add
from chatbridge.domain.model.message import Message
from chatbridge.domain.model.tool import Away
from chatbridge.domain.model.tool_call import listing_of

_TOLD = (
    "These tool servers are not available right now, so their tools are missing or may fail: "
    "{sources}. Go on without them. Where a request needs one of them, say that it is not "
    "available, and do not make up what it would have brought."
)
_SHOWN = (
    "The tool server '{source}' is not available right now, so its tools are missing or may fail."
)


def words_for(away: Away) -> str:
    """What the person reads about it."""
    return _SHOWN.format(source=away.source)


def not_yet_shown(away: Iterable[Away], window: Sequence[Message]) -> list[Away]:
    """Those of whose absence the window holds no word since it began."""
    shown = [call for message in window for call in message.tool_calls]
    return [
        each
        for each in away
        if not any(
            call.name == listing_of(each.source) and call.started_at >= each.since for call in shown
        )
    ]


def tell(agent: Agent[Any], away: Sequence[Away]) -> None:
    """Add to the agent's instructions, whatever they are, what is away."""
    if away:
        add(agent, _TOLD.format(sources=", ".join(each.source for each in away)))

"""OpenAI's Conversations API, through the session of the Agents SDK that speaks it."""

import asyncio
from functools import cached_property
from typing import Any, cast

from agents import OpenAIConversationsSession, TResponseInputItem
from agents.memory.openai_conversations_session import start_openai_conversations_session
from openai import AsyncOpenAI, NotFoundError

from chatbridge.adapters.openai.address import endpoint_address
from chatbridge.domain.model.counterpart import CounterpartId

_SECONDS = 10.0
_READ = ("message", "function_call", "function_call_output")

Item = dict[str, Any]


class Conversations:
    """Each call raises what the client of OpenAI does, and TimeoutError after 10 s.

    Nothing is asked twice by itself: whether something was added could not be known then. The
    client is made when it is first needed.
    """

    def __init__(self, *, api_key: str | None, base_url: str) -> None:
        self._api_key = api_key
        self._address = endpoint_address(base_url)

    async def begin(self) -> CounterpartId:
        """A new one that holds nothing."""
        return CounterpartId(await start_openai_conversations_session(self._client))

    async def read(self, id: CounterpartId, most: int) -> list[TResponseInputItem]:
        """Its last items of those kinds that we keep, without the provider's ids."""
        async with asyncio.timeout(_SECONDS):
            items = await self._session(id).get_items(limit=most)
        held = [cast(Item, item) for item in items]
        return [cast(TResponseInputItem, _plain(item)) for item in held if item["type"] in _READ]

    async def add(self, id: CounterpartId, items: list[TResponseInputItem]) -> None:
        """Add the items at its end; where it raises, some of them may be there."""
        await self._session(id).add_items([_told(cast(Item, item)) for item in items])

    async def delete(self, id: CounterpartId) -> None:
        """Delete it; one that is not there is deleted."""
        try:
            await self._session(id).clear_session()
        except NotFoundError:
            return

    async def close(self) -> None:
        """Let go of the connections."""
        if "_client" in vars(self):
            await self._client.close()

    def _session(self, id: CounterpartId) -> OpenAIConversationsSession:
        return OpenAIConversationsSession(conversation_id=id, openai_client=self._client)

    @cached_property
    def _client(self) -> AsyncOpenAI:
        return AsyncOpenAI(
            # never left out: the client would look into the environment
            api_key=self._api_key or "none",
            base_url=self._address.url,
            default_query=self._address.query,
            timeout=_SECONDS,
            max_retries=0,
        )


def _plain(item: Item) -> Item:
    return {name: value for name, value in item.items() if name not in ("id", "status")}


def _told(item: Item) -> TResponseInputItem:
    """The item as it is added: what an assistant has said is a text, which needs no id."""
    plain = _plain(item)
    if plain.get("role") == "assistant" and isinstance(plain["content"], list):
        parts = cast(list[Item], plain["content"])
        plain["content"] = "\n\n".join(str(part.get("text") or "") for part in parts)
    return cast(TResponseInputItem, plain)

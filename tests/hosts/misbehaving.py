"""Code of hosts that does what it must not: it leaves, brings what is none, or keeps too much."""

import asyncio
import sys
from typing import Any

import pytest
from agents import Agent, RunContextWrapper, function_tool
from chatkit.types import SyncCustomActionResponse

from chatbridge.agents import Actions, Assistant, Chat, Pressed
from chatbridge.domain.model.errors import AgentFailed
from tests.hosts.servers import Seats

LEAVING = {
    "exit": SystemExit(3),
    "interrupt": KeyboardInterrupt(),
    "cancel": asyncio.CancelledError(),
    "close": GeneratorExit(),
    "base": BaseException("Boom."),
}


def nested(levels: int) -> dict[str, Any]:
    """That deep."""
    made: dict[str, Any] = {}
    for _ in range(levels - 1):
        made = {"in": made}
    return made


class Misbehaving(Seats):
    """What its actions do is in their payloads."""

    async def action(self, thread, action, sender, context):
        misbehave = action.payload["how"]
        if misbehave in LEAVING:
            raise LEAVING[misbehave]
        if misbehave == "deep":
            thread.metadata = nested(600)
            with pytest.raises(AgentFailed, match="200 levels"):
                await self.store.save_thread(thread, context)
            thread.metadata = {"kept": nested(150)}
            yield self.said(thread, "Kept.", context)
            return
        yield {"none": None, "text": "no event", "dict": {"type": "notice"}}[misbehave]

    async def sync_action(self, thread, action, sender, context):
        misbehave = action.payload["how"]
        if misbehave in LEAVING:
            raise LEAVING[misbehave]
        if misbehave == "task":
            leaving = asyncio.create_task(_leave())
            await asyncio.wait({leaving})
        strange = sender.model_copy(update={"id": "msg_strange"})
        return {
            "none": None,
            "text": "no answer",
            "dict": {"updated_item": None},
            "strange": SyncCustomActionResponse(updated_item=strange),
        }.get(misbehave, SyncCustomActionResponse(updated_item=sender))


async def _leave() -> None:
    sys.exit(4)


actions = Actions()


@actions.on("misbehave", anywhere=True)
async def misbehave(chat: Chat, pressed: Pressed[Any]) -> None:
    await chat.say("Half")
    raise LEAVING[pressed.payload["how"]]


@actions.on("plain", anywhere=True)  # pyright: ignore[reportArgumentType]
def plain(chat: Chat, pressed: Pressed[Any]) -> None:
    """A handler that is not async can do this much."""
    chat.thread.title = "Plain"


@function_tool
async def keep_much(context: RunContextWrapper[Chat]) -> str:
    chat = context.context
    for metadata in (nested(600), nested(100_000), {"long": "x" * 70_000}, {"odd": object()}):
        chat.thread.metadata = metadata
        with pytest.raises((AgentFailed, TypeError)):
            await chat.say("Never said.")
    chat.thread.metadata = {"kept": nested(150)}
    await chat.say("Kept.")
    return "kept"


@function_tool
async def keep_too_much(context: RunContextWrapper[Chat]) -> str:
    context.context.thread.metadata = nested(600)
    return "set"


assistant = Assistant(Agent(name="Misbehaving", tools=[keep_much, keep_too_much]), actions)

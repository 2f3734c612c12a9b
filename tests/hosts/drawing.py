"""An agent whose own code shows files as data, as hosts do, and talks of them."""

from base64 import b64encode
from datetime import UTC, datetime
from typing import Any

from agents import Agent, RunContextWrapper, function_tool
from chatkit.types import (
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
)
from chatkit.widgets import Card, Image, Markdown, Text

from chatbridge.agents import Chat
from tests.files_of_people import picture

PNG = f"data:image/png;base64,{b64encode(picture()).decode()}"
OTHER = f"data:image/png;base64,{b64encode(picture(size=(30, 40))).decode()}"
BROKEN = "data:image/png;base64,AAAA"
TALK = f"A picture is written as `![a cat]({BROKEN})`, or as {BROKEN} alone."


@function_tool
async def draw(context: RunContextWrapper[Chat]) -> str:
    """A picture that grows, as ChatKit's own stream_agent_response shows one."""
    chat = context.context
    head: dict[str, Any] = {
        "id": chat.generate_id("message"),
        "thread_id": chat.thread.id,
        "created_at": datetime.now(UTC),
    }
    item = GeneratedImageItem(**head)
    await chat.stream(ThreadItemAddedEvent(item=item))
    item.image = GeneratedImage(id="ig_1", url=OTHER)
    update = GeneratedImageUpdated(image=item.image, progress=0.5)
    await chat.stream(ThreadItemUpdatedEvent(item_id=item.id, update=update))
    item.image = GeneratedImage(id="ig_1", url=PNG)
    await chat.stream(ThreadItemDoneEvent(item=item))
    return "drawn"


@function_tool
async def hang(context: RunContextWrapper[Chat]) -> str:
    """A widget with the same picture twice, a broken one, and words about pictures."""
    children = [
        Image(src=PNG, alt="a cat"),
        Image(src=BROKEN, alt="no cat"),
        Markdown(value=f"![the same]({PNG})\n\n{TALK}"),
        Text(value=TALK),
    ]
    await context.context.show(Card(children=children), copy_text="cats")
    return "hung"


@function_tool
async def write(context: RunContextWrapper[Chat]) -> str:
    """A message with a picture in it."""
    await context.context.say(f"Look: ![a cat]({PNG}). {TALK}")
    return "written"


assistant = Agent(name="Painter", tools=[draw, hang, write])

"""An agent as hosts write one that shows, with a tool for each thing that can be shown."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime
from typing import Any

import pytest
from agents import Agent, RunContextWrapper, function_tool
from chatkit.actions import ActionConfig
from chatkit.agents import AgentContext, ClientToolCall
from chatkit.errors import CustomStreamError
from chatkit.types import (
    CustomSummary,
    CustomTask,
    FileSource,
    FileTask,
    GeneratedImage,
    GeneratedImageItem,
    GeneratedImageUpdated,
    ImageTask,
    SearchTask,
    StructuredInputFreeform,
    StructuredInputMultipleChoice,
    StructuredInputMultipleChoiceOption,
    ThoughtTask,
    ThreadItemAddedEvent,
    ThreadItemDoneEvent,
    ThreadItemUpdatedEvent,
    WidgetRootUpdated,
    Workflow,
)
from chatkit.widgets import Button, Card, Form, Input, Text, WidgetRoot
from pydantic import BaseModel, TypeAdapter, ValidationError

from chatbridge.agents import Actions, Assistant, Chat, Pressed
from tests.hosts.servers import look_around
from tests.hosts.showing import COMPONENTS, ROOTS

Context = RunContextWrapper[Chat]


class Pick(BaseModel):
    seat: str


def card(chosen: str | None = None) -> Card:
    buttons = [
        Button(
            label=seat,
            disabled=chosen is not None,
            onClickAction=ActionConfig(type=type, payload={"seat": seat}, streaming=streaming),
        )
        for streaming in (True, False)
        for type, seat in (
            ("seat.pick", "1A"),
            ("seat.silent", "1A"),
            ("seat.ask", "1A"),
            ("seat.fail", "1A"),
            ("seat.custom", "1A"),
            ("seat.unknown", "1A"),
        )
    ]
    wrong = [
        Button(
            label="wrong",
            onClickAction=ActionConfig(type="seat.pick", payload={"row": 1}, streaming=streaming),
        )
        for streaming in (True, False)
    ]
    return Card(key="seats", children=[Text(value=f"Seat: {chosen or '?'}"), *buttons, *wrong])


@function_tool
async def show_seats(context: Context) -> str:
    await context.context.show(card(), copy_text="the seats")
    return "shown"


@function_tool
async def all_tasks(context: Context) -> str:
    """Tasks of all kinds, in a workflow and by themselves."""
    chat = context.context
    await chat.start_workflow(Workflow(type="custom", tasks=[]))
    for task in (
        CustomTask(title="Custom", content="done"),
        SearchTask(title="Search", queries=["seats"]),
        ThoughtTask(title="Thought", content="hm"),
        FileTask(title="File", sources=[FileSource(filename="a.txt", title="A")]),
        ImageTask(title="Image"),
    ):
        await chat.add_workflow_task(task)
    await chat.end_workflow(CustomSummary(title="Five kinds"), expanded=True)
    await chat.task(CustomTask(title="Alone"))
    return "tasked"


@function_tool
async def short_words(context: Context) -> str:
    """Every short word."""
    chat = context.context
    await chat.progress("Working", icon="bolt")
    await chat.effect("blink", n=1)
    await chat.notice("Well", level="warning", title="So")
    await chat.say("A **word**.")
    await chat.note("Only for the model.")
    shown = await chat.show(Card(children=[Text(value="one")]), copy_text="one")
    await shown.replace(Card(children=[Text(value="two")]), copy_text="two")
    root = WidgetRootUpdated(widget=Card(children=[Text(value="three")]))
    await chat.stream(ThreadItemUpdatedEvent(item_id=shown.item.id, update=root))
    gone = await chat.show(Card(children=[Text(value="gone")]))
    await gone.remove()
    chat.thread.title = "Named by a tool"
    chat.thread.allowed_image_domains = ["cats.example"]
    chat.thread.metadata["seen"] = True
    await chat.end_of_turn()
    page = await chat.store.load_thread_items(chat.thread.id, None, 20, "desc", {})
    return f"{chat.user_id} {len(page.data)}"


@function_tool
async def mark_titled(context: Context) -> str:
    """Something else of the thread, when its title is another one than at first."""
    chat = context.context
    first = chat.thread.title
    async with asyncio.timeout(10):
        while chat.thread.title == first:  # noqa: ASYNC110  # nobody tells a tool
            await asyncio.sleep(0.01)
    chat.thread.metadata["marked"] = True
    await chat.progress("Marked")
    return "marked"


@function_tool
async def replace_earlier(context: Context) -> str:
    """The newest widget of an earlier turn, found in the store."""
    chat = context.context
    page = await chat.store.load_thread_items(chat.thread.id, None, 20, "desc", {})
    widget = next(item for item in page.data if item.type == "widget")
    await chat.stream_widget(Card(children=[Text(value="beside")]))
    root = WidgetRootUpdated(widget=Card(children=[Text(value="changed")]))
    await chat.stream(ThreadItemUpdatedEvent(item_id=widget.id, update=root))
    return "replaced"


@function_tool
async def odd(context: Context) -> str:
    """What no database holds, and two million characters."""
    await context.context.show(Card(children=[Text(value="a\0b\ud800")]), copy_text="N\0")
    await context.context.show(Card(children=[Text(value="x" * 2_000_000)]), copy_text="large")
    return "odd"


@function_tool
async def too_large(context: Context) -> str:
    await context.context.show(Card(children=[Text(value="x" * 5_000_000)]))
    return "never"


@function_tool
async def too_long(context: Context) -> str:
    await context.context.say("x" * 2_500_000)
    return "never"


@function_tool
async def mistakes(context: Context) -> str:
    """What is none of ChatKit's, wherever something is taken."""
    chat: Any = context.context
    shown: Any = await chat.show(Card(children=[Text(value="right")]))
    await chat.start_workflow(Workflow(type="custom", tasks=[CustomTask(title="Right")]))
    for mistaken in (
        lambda: shown.replace("wrong"),
        lambda: shown.replace(shown.item.widget, copy_text=5),
        lambda: chat.add_workflow_task("wrong"),
        lambda: chat.update_workflow_task(None, 0),
        lambda: chat.end_workflow("wrong"),
    ):
        with pytest.raises(ValidationError):
            await mistaken()
    return "mistaken"


async def growing() -> AsyncGenerator[WidgetRoot, None]:
    for words in ("D", "De", "Dear"):
        yield Card(children=[Text(id="body", value=words, streaming=words != "Dear")])


@function_tool
async def grow(context: Context) -> str:
    await context.context.show(growing(), copy_text="a letter")
    return "grown"


@function_tool
async def gallery(context: Context) -> str:
    """Every widget that there is, and a picture."""
    for root in (*({"type": "Card", "children": [each]} for each in COMPONENTS), *ROOTS):
        await context.context.show(TypeAdapter(WidgetRoot).validate_python(root))
    image = GeneratedImageItem(
        id=context.context.generate_id("message"),
        thread_id=context.context.thread.id,
        created_at=datetime.now(),
    )
    await context.context.stream(ThreadItemAddedEvent(item=image))
    picture = GeneratedImage(id="i", url="https://cats.example/a.png")
    update = GeneratedImageUpdated(image=picture, progress=0.5)
    await context.context.stream(ThreadItemUpdatedEvent(item_id=image.id, update=update))
    await context.context.stream(
        ThreadItemDoneEvent(item=image.model_copy(update={"image": picture}))
    )
    return "shown"


@function_tool
async def form(context: Context) -> str:
    """A widget with a field whose value comes along."""
    submit = ActionConfig(type="seat.form", payload={"seat": "1A"})
    field = Input(name="why")
    await context.context.show(Card(children=[Form(onSubmitAction=submit, children=[field])]))
    return "asked"


@function_tool
async def ask_the_page(context: RunContextWrapper[AgentContext[Any]]) -> str:
    context.context.client_tool_call = ClientToolCall(name="selected", arguments={})
    return "asked"


@function_tool
async def ask_size(context: Context) -> str:
    size = StructuredInputMultipleChoice(
        id="size",
        question="Which size?",
        options=[StructuredInputMultipleChoiceOption(value=each) for each in ("S", "L")],
    )
    await context.context.ask_person(size, StructuredInputFreeform(id="why", question="Why?"))
    return "asked"


actions = Actions()


@actions.on("seat.pick", Pick)
async def pick(chat: Chat, pressed: Pressed[Pick]) -> None:
    assert pressed.sender is not None
    await pressed.sender.replace(card(pressed.payload.seat), copy_text="a seat is taken")
    await chat.note(f"The user has picked {pressed.payload.seat}.")
    pressed.let_answer()


@actions.on("seat.silent", Pick)
async def silent(chat: Chat, pressed: Pressed[Pick]) -> None:
    assert pressed.sender is not None
    await asyncio.sleep(0.05)  # another press may come
    await pressed.sender.replace(card(pressed.payload.seat))


@actions.on("seat.ask")
async def ask(chat: Chat, pressed: Pressed[Any]) -> None:
    pressed.let_answer()


@actions.on("seat.fail")
async def fail(chat: Chat, pressed: Pressed[Any]) -> None:
    await chat.say("Half")
    raise RuntimeError("private")


@actions.on("seat.custom")
async def custom(chat: Chat, pressed: Pressed[Any]) -> None:
    raise CustomStreamError("That seat is broken.")


@actions.on("seat.form")
async def filled_in(chat: Chat, pressed: Pressed[dict[str, str]]) -> None:
    await chat.say(f"Because {pressed.payload['why']}.")


@actions.on("refresh", anywhere=True)
async def refresh(chat: Chat, pressed: Pressed[Any]) -> None:
    await chat.say(f"Refreshed {pressed.payload} at {datetime.now().year}.")


assistant = Assistant(
    Agent(
        name="Seats",
        tools=[
            look_around,
            ask_size,
            show_seats,
            all_tasks,
            short_words,
            mark_titled,
            replace_earlier,
            odd,
            too_large,
            too_long,
            mistakes,
            grow,
            gallery,
            form,
            ask_the_page,
        ],
    ),
    actions,
)

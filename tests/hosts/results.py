"""An agent whose tools' results are shown as widgets, and tools whose widgets can't be shown."""

import asyncio
from typing import Any

from agents import Agent, function_tool
from chatkit.actions import ActionConfig
from chatkit.widgets import Button, Card, ListView, ListViewItem, Text

from chatbridge.agents import Actions, Assistant, Brought, Chat, Pressed


@function_tool
def find_seats(flight: str = "LH1") -> dict[str, Any]:
    return {"flight": flight, "seats": ["1A", "1B"]}


@function_tool
def find_nothing() -> str:
    return "nothing"


@function_tool
def find_badly() -> str:
    return "badly"


@function_tool
def find_fault() -> str:
    return "a fault"


@function_tool
def fail() -> str:
    raise RuntimeError("no seats today")


def seats(brought: Brought) -> Card:
    flight = brought.data["flight"]
    buttons = [
        Button(
            label=seat,
            onClickAction=ActionConfig(type="seat.pick", payload={"seat": seat}, streaming=False),
        )
        for seat in brought.data["seats"]
    ]
    return Card(children=[Text(value=f"Seats of {flight}"), *buttons])


async def tasks(brought: Brought) -> ListView:
    await asyncio.sleep(0)
    rows = [
        ListViewItem(
            key=str(task["number"]),
            children=[Text(value=task["title"])],
            onClickAction=ActionConfig(type="task.open", payload={"number": task["number"]}),
        )
        for task in brought.data["tasks"]
    ]
    return ListView(children=rows)


def faulty(brought: Brought) -> Card:
    raise RuntimeError("private")


actions = Actions()


@actions.on("seat.pick")
async def pick(chat: Chat, pressed: Pressed[dict[str, str]]) -> None:
    assert pressed.sender is not None
    taken = Card(children=[Text(value=f"{pressed.payload['seat']} is taken")])
    await pressed.sender.replace(taken)


@actions.on("task.open")
async def open_task(chat: Chat, pressed: Pressed[dict[str, int]]) -> None:
    await chat.say(f"Task {pressed.payload['number']}.")


assistant = Assistant(
    Agent(name="Results", tools=[find_seats, find_nothing, find_badly, find_fault, fail]),
    actions,
    widgets={
        "find_seats": seats,
        "list_tasks": tasks,
        "find_nothing": lambda brought: None,
        "find_badly": lambda brought: {"type": "Card", "children": [{"type": "Spaceship"}]},
        "find_fault": faulty,
        "fail": seats,
    },
)

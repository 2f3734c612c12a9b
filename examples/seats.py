"""An agent that shows: seats in a widget, picked by a click that the agent then answers.

    chatbridge serve --agent seats:assistant

Its tools get a Chat, which is ChatKit's own AgentContext with who asks and with short words for
what can be shown.
"""

from agents import Agent, RunContextWrapper, function_tool
from chatkit.actions import ActionConfig
from chatkit.types import CustomTask, Workflow
from chatkit.widgets import Button, Card, Text
from pydantic import BaseModel

from chatbridge.agents import Actions, Assistant, Chat, Pressed


class Pick(BaseModel):
    """What the buttons send."""

    flight: str
    seat: str


def card(flight: str, chosen: str | None = None) -> Card:
    """Two seats, until one is chosen."""
    buttons = [
        Button(
            label=seat,
            disabled=chosen is not None,
            onClickAction=ActionConfig(type="seat.pick", payload={"flight": flight, "seat": seat}),
        )
        for seat in ("1A", "1B")
    ]
    return Card(children=[Text(value=f"{flight}: {chosen or 'no seat yet'}"), *buttons])


@function_tool
async def show_seats(context: RunContextWrapper[Chat], flight: str) -> str:
    """Show the free seats of a flight, as buttons."""
    chat = context.context
    await chat.progress(f"Looking at {flight}", icon="search")
    await chat.start_workflow(Workflow(type="custom", tasks=[]))
    await chat.add_workflow_task(CustomTask(title="Asked for the plan", icon="map-pin"))
    await chat.add_workflow_task(CustomTask(title="Left out what is taken", icon="check-circle"))
    await chat.end_workflow()
    await chat.show(card(flight), copy_text=f"The free seats of {flight}: 1A and 1B.")
    return "The seats are shown. Wait for a click."


actions = Actions()


@actions.on("seat.pick", Pick)
async def pick(chat: Chat, pressed: Pressed[Pick]) -> None:
    """A seat was picked: the card says so, and the agent goes on."""
    flight, seat = pressed.payload.flight, pressed.payload.seat
    if pressed.sender:
        await pressed.sender.replace(card(flight, seat), copy_text=f"{flight}: seat {seat}.")
    await chat.effect("seat_picked", seat=seat)
    await chat.note(f"The user, {chat.user_id}, has picked the seat {seat} of {flight}.")
    pressed.let_answer()


assistant = Assistant(
    Agent(
        name="Seats",
        instructions="You help people to pick a seat. Show the seats before you ask for one.",
        tools=[show_seats],
    ),
    actions,
)

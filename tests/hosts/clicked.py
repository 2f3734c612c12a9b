"""Agents whose turns rest, or go on for as long as a test wants, behind a widget that they show."""

import asyncio

from agents import Agent, RunContextWrapper, function_tool

from chatbridge.agents import Assistant, Chat
from tests.hosts.assistants import actions, card, show_seats
from tests.hosts.scripted_model import Scripted, call, text

Context = RunContextWrapper[Chat]


class Gate:
    """Held shut by a test, in whose event loop the agent runs too."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.reached = asyncio.Event()


GATE = Gate()


@function_tool
async def show_and_wait(context: Context) -> str:
    await context.context.show(card(), copy_text="the seats")
    GATE.reached.set()
    await GATE.open.wait()
    return "waited"


@function_tool(needs_approval=True)
async def pay(context: Context) -> str:
    return "paid"


running = Assistant(
    Agent(
        name="Running",
        tools=[show_and_wait],
        model=Scripted([call("show_and_wait")], [text("msg_1", "Done.")]),
    ),
    actions,
)
resting = Assistant(
    Agent(
        name="Resting",
        tools=[show_seats, pay],
        model=Scripted(
            [call("show_seats", id="fc_1")], [call("pay", id="fc_2")], [text("msg_1", "Paid.")]
        ),
    ),
    actions,
)

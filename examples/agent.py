"""A shop's assistant: function tools, a colleague to hand over to, and a guardrail.

From this directory: `chatbridge serve --agent agent:assistant`
"""

from typing import Any

from agents import (
    Agent,
    GuardrailFunctionOutput,
    RunContextWrapper,
    function_tool,
    input_guardrail,
)

ORDERS = {"1001": "on its way", "1002": "delivered"}


@function_tool
def order_status(number: str) -> str:
    """Look an order up by its number."""
    return ORDERS.get(number, "There is no such order.")


@function_tool
def ask_for_refund(context: RunContextWrapper[Any], number: str) -> str:
    """Ask the shop to pay an order back; a person decides."""
    # the context says for whom: user_id, conversation_id and turn_id
    return f"Noted for {context.context.user_id}: order {number}."


@input_guardrail
def no_card_numbers(_: Any, __: Any, said: str | list[Any]) -> GuardrailFunctionOutput:
    """A message with a card number goes no further."""
    last = said if isinstance(said, str) else str(said[-1].get("content", ""))
    digits = sum(character.isdigit() for character in last)
    return GuardrailFunctionOutput(output_info=None, tripwire_triggered=digits >= 16)


refunds = Agent(
    name="Refunds",
    handoff_description="Knows how to get money back.",
    instructions="Find out which order it is, and ask for the refund.",
    tools=[order_status, ask_for_refund],
)

assistant = Agent(
    name="Assistant",
    instructions="You help the customers of a shop. Hand over to Refunds when money is asked back.",
    tools=[order_status],
    handoffs=[refunds],
    input_guardrails=[no_card_numbers],
)

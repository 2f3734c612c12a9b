"""What is written by hand to serve an exported workflow: its branches become handoffs.

From this directory: `chatbridge serve --agent agent_builder_served:assistant`
"""

from agent_builder_export import classification_agent, information_agent, order_agent
from agents import function_tool

ORDERS = {"1001": "on its way", "1002": "delivered"}


# the export has the tool's name and arguments, and not what it does
@function_tool
def order_status(number: str) -> str:
    """Look an order up by its number."""
    return ORDERS.get(number, "There is no such order.")


orders = order_agent.clone(
    tools=[order_status],
    handoff_description="Knows how an order stands.",
)

# the question is the last message anyway; the workflow's input is not there to be read
information = information_agent.clone(
    instructions="Answer this question of a bicycle shop's customer.",
    handoff_description="Answers everything else about the shop.",
)

# run_workflow is not called: who is to answer is decided by a handoff, and no longer by JSON
assistant = classification_agent.clone(
    instructions="Hand over to whoever can help the customer of a bicycle shop.",
    output_type=None,
    handoffs=[orders, information],
)

"""A workflow as Agent Builder exports it (Code, Agents SDK, Python), formatted and nothing else.

`agent_builder_served.py` beside it is what was written by hand to serve it.
"""

from typing import Literal

from agents import (
    Agent,
    ModelSettings,
    RunConfig,
    RunContextWrapper,
    Runner,
    TResponseInputItem,
    function_tool,
    trace,
)
from openai.types.shared.reasoning import Reasoning
from pydantic import BaseModel


# Tool definitions
@function_tool
def order_status(number: str):
    pass


class ClassificationAgentSchema(BaseModel):
    category: Literal["order", "information"]


classification_agent = Agent(
    name="Classification agent",
    instructions="Classify what the customer of a bicycle shop wants: order or information.",
    model="gpt-4.1",
    output_type=ClassificationAgentSchema,
    model_settings=ModelSettings(temperature=1, top_p=1, max_tokens=2048, store=True),
)


order_agent = Agent(
    name="Order agent",
    instructions="Look the order up by its number and say how it stands.",
    model="gpt-5",
    tools=[order_status],
    model_settings=ModelSettings(
        store=True, reasoning=Reasoning(effort="low", summary="auto"), parallel_tool_calls=True
    ),
)


class InformationAgentContext:
    def __init__(self, workflow_input_as_text: str):
        self.workflow_input_as_text = workflow_input_as_text


def information_agent_instructions(
    run_context: RunContextWrapper[InformationAgentContext],
    _agent: Agent[InformationAgentContext],
):
    workflow_input_as_text = run_context.context.workflow_input_as_text
    return f"Answer this question of a bicycle shop's customer: {workflow_input_as_text}"


information_agent = Agent(
    name="Information agent",
    instructions=information_agent_instructions,
    model="gpt-4.1",
    model_settings=ModelSettings(temperature=1, top_p=1, max_tokens=2048, store=True),
)


class WorkflowInput(BaseModel):
    input_as_text: str


# Main code entrypoint
async def run_workflow(workflow_input: WorkflowInput):
    with trace("Bicycle shop"):
        workflow = workflow_input.model_dump()
        conversation_history: list[TResponseInputItem] = [
            {
                "role": "user",
                "content": [{"type": "input_text", "text": workflow["input_as_text"]}],
            }
        ]
        classification_agent_result_temp = await Runner.run(
            classification_agent,
            input=[*conversation_history],
            run_config=RunConfig(
                trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_123"}
            ),
        )
        classification_agent_result = {
            "output_text": classification_agent_result_temp.final_output.json(),
            "output_parsed": classification_agent_result_temp.final_output.model_dump(),
        }
        if classification_agent_result["output_parsed"]["category"] == "order":
            order_agent_result_temp = await Runner.run(
                order_agent,
                input=[*conversation_history],
                run_config=RunConfig(
                    trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_123"}
                ),
            )
            return {"output_text": order_agent_result_temp.final_output_as(str)}
        information_agent_result_temp = await Runner.run(
            information_agent,
            input=[*conversation_history],
            run_config=RunConfig(
                trace_metadata={"__trace_source__": "agent-builder", "workflow_id": "wf_123"}
            ),
            context=InformationAgentContext(workflow_input_as_text=workflow["input_as_text"]),
        )
        return {"output_text": information_agent_result_temp.final_output_as(str)}

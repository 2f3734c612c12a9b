"""What of an Agent Builder export can't be served as it is."""

import importlib.util
from pathlib import Path
from typing import Any

from agents import Agent, Model
from agents.testing import ScriptedModel, assistant_message, function_call

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from tests.contracts.agent_runner import heard, heard_until_failure, kept
from tests.contracts.task_tools import TaskTools

EXPORT = Path(__file__).resolve().parents[4] / "examples" / "agent_builder_export.py"


def exported() -> Any:
    spec: Any = importlib.util.spec_from_file_location("agent_builder_export", EXPORT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def runner_of(agent: Agent[Any], *answers: Any) -> OpenAIAgentRunner:
    def named(_: str) -> Model:
        return ScriptedModel([*answers])

    return OpenAIAgentRunner(
        ScriptedModel([]), TaskTools(()), instructions="", agent=agent, named=named
    )


async def test_instructions_that_read_the_workflows_input_fail() -> None:
    _, failure = await heard_until_failure(runner_of(exported().information_agent), "Open today?")
    assert failure.code == "agent_failed"
    assert "workflow_input_as_text" in str(failure.__cause__)


async def test_an_agent_with_an_output_type_says_json() -> None:
    said = '{"category":"order"}'
    runner = runner_of(exported().classification_agent, [assistant_message(said)])
    (message,) = kept(await heard(runner, "Where is my order?"))
    assert message.content == said


async def test_a_tool_whose_body_was_not_exported_answers_nothing() -> None:
    model = ScriptedModel(
        [
            [function_call("order_status", {"number": "1001"}, call_id="1")],
            [assistant_message("I can't tell.")],
        ]
    )
    agent = exported().order_agent.clone(model=model)
    step, _ = kept(await heard(runner_of(agent), "Where is order 1001?"))
    assert [(call.state, call.output) for call in step.tool_calls] == [("succeeded", "null")]

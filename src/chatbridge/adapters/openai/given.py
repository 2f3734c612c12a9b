"""What a model is given, each time that it is asked, and the other rules of a run."""

from functools import partial
from typing import Any

from agents import ModelProvider, RunConfig
from agents.run_config import CallModelData, ModelInputData, ToolErrorFormatter

from chatbridge.adapters.openai.readable import instructed, readable
from chatbridge.adapters.openai.today import dated, now_in
from chatbridge.ports.agent_runner import AgentRequest


def configured(
    request: AgentRequest, models: ModelProvider, describe: ToolErrorFormatter, *, tracing: bool
) -> RunConfig:
    """The SDK's configuration; agents that are tools inherit it."""
    return RunConfig(
        group_id=request.on_behalf.conversation_id,
        model_provider=models,
        call_model_input_filter=partial(_given, request.asking.zone),
        tool_not_found_behavior="return_error_to_model",
        tool_error_formatter=describe,
        tracing_disabled=not tracing,
    )


def _given(zone: str | None, data: CallModelData[Any]) -> ModelInputData:
    """Its instructions with the day, and what it reads."""
    given = data.model_data
    instructions = "\n\n".join([given.instructions or "", *instructed(given.input)]).strip()
    return ModelInputData(readable(given.input), dated(instructions, now_in(zone)))

"""What a model is given, each time that it is asked."""

from typing import Any

from agents.run_config import CallModelData, ModelInputData

from chatbridge.adapters.openai.readable import instructed, readable
from chatbridge.adapters.openai.today import dated, now_in


def given(zone: str | None, data: CallModelData[Any]) -> ModelInputData:
    """Its instructions with the day, and what it reads; agents that are tools inherit it."""
    said = data.model_data
    instructions = "\n\n".join([said.instructions or "", *instructed(said.input)]).strip()
    return ModelInputData(readable(said.input), dated(instructions, now_in(zone)))

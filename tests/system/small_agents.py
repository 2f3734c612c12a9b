"""A host's agents for a small model: one calls a tool in each turn, one never comes to an end."""

from agents import Agent, ModelSettings

keeper = Agent(
    name="Keeper",
    instructions="You keep tasks.",
    model_settings=ModelSettings(temperature=0, max_tokens=96, tool_choice="required"),
)
talker = Agent(
    name="Talker",
    instructions="You tell stories.",
    model_settings=ModelSettings(temperature=0, extra_body={"ignore_eos": True}),
)
brief = Agent(
    name="Brief",
    instructions="You tell stories.",
    model_settings=ModelSettings(temperature=0, max_tokens=4, extra_body={"ignore_eos": True}),
)

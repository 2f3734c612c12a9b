"""What tool servers say of their tools, in an agent's instructions."""

from agents import Agent, RunContextWrapper

from chatbridge.adapters.openai.added import heed


async def test_a_servers_words_come_behind_the_agents_own_and_under_its_name() -> None:
    agent = Agent(name="host", instructions="Be brief.")
    heed(agent, {"maps": "Look up first."})

    said = await agent.get_system_prompt(RunContextWrapper(None))
    assert said == "Be brief.\n\nThe tool server maps says of its tools:\nLook up first."

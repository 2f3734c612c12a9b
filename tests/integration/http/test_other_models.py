"""The whole service with a model behind an HTTP endpoint, over both APIs, with the real tools."""

import pytest
from llmock.pytest_plugin import LLMock

from tests.chatkit_client import add, create, items, say, shown, text_of, without_times
from tests.serving import served, settings_for


@pytest.mark.parametrize("api", ["responses", "chat_completions"])
async def test_a_turn_with_a_tool_and_the_two_that_follow(
    llmock: LLMock, postgres_url: str, api: str
) -> None:
    llmock.tool_mode("off").call_tool("add_task", {"title": "buy oat milk"}).reply("Added.")
    llmock.reply("You are welcome.").reply("Good bye.")
    agent = {"model": "mock", "base_url": llmock.base_url(), "api_key": "key", "api": api}
    async with served(settings_for(postgres_url, agent=agent)) as here:
        user = f"of-{api}"
        client = here.as_user(user)
        thread_id, told = await say(client, create("add a task: buy oat milk"))
        _, second = await say(client, add(thread_id, "thanks"))
        _, third = await say(client, add(thread_id, "bye"))
        kept = (await client.post("/chatkit", json=items(thread_id))).json()["data"]
        tasks = (await client.get(f"/api/{user}/tasks")).json()["items"]
    assert [task["title"] for task in tasks] == ["buy oat milk"]
    assert [without_times(i) for i in kept] == shown(told) + shown(second) + shown(third)
    answers = [text_of(i) for i in kept if i["type"] == "assistant_message"]
    assert answers == ["Added.", "You are welcome.", "Good bye."]
    assert len({i["id"] for i in kept}) == len(kept)


async def test_a_model_that_is_away_is_said_in_a_sentence(llmock: LLMock) -> None:
    llmock.fail(500, times=3)
    agent = {"model": "mock", "base_url": llmock.base_url(), "api_key": "key"}
    async with served(settings_for("memory:", agent=agent)) as here:
        client = here.as_user("alice")
        answer = (await client.post("/api/alice/chat", json={"message": "hello"})).json()
    assert answer["state"] == "failed"
    assert answer["error"]["code"] == "model_unavailable"

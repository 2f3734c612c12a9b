"""The whole service with a model behind an HTTP endpoint, over both APIs, with the real tools."""

from typing import Any

import pytest
from llmock.pytest_plugin import LLMock

from tests.chatkit_client import add, create, items, say, shown, text_of, without_times
from tests.integration.scripted_endpoint import ScriptedEndpoint, message, responses
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


@pytest.mark.parametrize("api", ["responses", "chat_completions"])
async def test_a_turn_says_what_it_has_cost(llmock: LLMock, api: str) -> None:
    llmock.reply("Hello!")
    agent = {"model": "mock", "base_url": llmock.base_url(), "api_key": "key", "api": api}
    async with served(settings_for("memory:", agent=agent)) as here:
        client = here.as_user("alice")
        turn = (await client.post("/api/alice/chat", json={"message": "hello"})).json()
    assert turn["state"] == "completed"
    assert all(turn["usage"][name] > 0 for name in ("input_tokens", "output_tokens"))


async def test_a_model_that_is_away_is_said_in_a_sentence(llmock: LLMock) -> None:
    llmock.fail(500, times=3)
    agent = {"model": "mock", "base_url": llmock.base_url(), "api_key": "key"}
    async with served(settings_for("memory:", agent=agent)) as here:
        client = here.as_user("alice")
        answer = (await client.post("/api/alice/chat", json={"message": "hello"})).json()
    assert answer["state"] == "failed"
    assert answer["error"]["code"] == "model_unavailable"


async def test_what_a_provider_searched_and_its_sources_are_there_after_a_reload(
    postgres_url: str,
) -> None:
    source = {"title": "Oats", "url": "https://example.com/oats"}
    cited = {"type": "url_citation", "start_index": 0, "end_index": 4, **source}
    search = {
        "type": "web_search_call",
        "id": "ws_1",
        "status": "completed",
        "action": {"type": "search", "query": "oats"},
    }
    async with ScriptedEndpoint().running() as endpoint:
        endpoint.answer(*responses(search, message("Oats float.", cited)))
        agent = {"entry": "tests.integration.searching_agent:searcher", "base_url": endpoint.url}
        settings = settings_for(postgres_url, agent={"model": "m", "api": "responses", **agent})
        async with served(settings) as here:
            client = here.as_user("searching")
            thread_id, told = await say(client, create("do oats float?"))
            kept = (await client.post("/chatkit", json=items(thread_id))).json()["data"]
            path = f"/api/searching/conversations/{thread_id}/messages"
            listed = (await client.get(path)).json()["items"]
    assert [without_times(i) for i in kept] == shown(told)
    annotation = {"type": "annotation", "source": {"type": "url", **source}, "index": 4}
    (part,) = kept[-1]["content"]
    assert [only_given(each) for each in part["annotations"]] == [annotation]
    assert kept[1]["copy_text"] == "web_search: Success"
    assert listed[2]["citations"] == [{**source, "index": 4}]
    assert [(c["name"], c["hosted"]) for c in listed[1]["tool_calls"]] == [("web_search", True)]


def only_given(value: Any) -> Any:
    """The value without what is null in it."""
    if isinstance(value, dict):
        return {k: only_given(v) for k, v in value.items() if v is not None}
    return value

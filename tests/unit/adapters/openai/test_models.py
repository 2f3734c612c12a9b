"""The models behind an endpoint."""

import sys
from typing import Any

import pytest
from agents import Agent, Model, OpenAIChatCompletionsModel, OpenAIResponsesModel
from agents.testing import ScriptedModel
from openai import AsyncOpenAI

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.models import Endpoint, openai_model
from chatbridge.adapters.openai.patient_model import PatientModel
from tests.contracts.task_tools import TaskTools


def behind(endpoint: Endpoint) -> Model:
    assert isinstance(endpoint.model, PatientModel)
    return endpoint.model.model


def client_of(endpoint: Endpoint) -> AsyncOpenAI:
    return behind(endpoint)._client  # pyright: ignore


@pytest.fixture(autouse=True)
def foreign_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-of-somebody")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://elsewhere.invalid")


@pytest.mark.parametrize("key", [None, ""])
def test_openai_without_a_key_is_refused_with_advice(key: str | None) -> None:
    with pytest.raises(ValueError, match=r"OPENAI_API_KEY.*CHATBRIDGE_AGENT__MODEL=offline"):
        openai_model(model="gpt", base_url=None, api_key=key, api="responses")


def test_an_extra_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    room = "chatbridge.adapters.openai.over_aiohttp"
    monkeypatch.delitem(sys.modules, room, raising=False)
    monkeypatch.setitem(sys.modules, "aiohttp", None)
    with pytest.raises(ValueError, match=r"AGENT__HTTP=aiohttp.*chatbridge-server\[fast"):
        openai_model(model="m", base_url=None, api_key="k", api="responses", http="aiohttp")


async def test_each_api_has_its_model() -> None:
    responses = openai_model(model="m", base_url=None, api_key="k", api="responses")
    chat = openai_model(model="m", base_url=None, api_key="k", api="chat_completions")
    assert isinstance(behind(responses), OpenAIResponsesModel)
    assert isinstance(behind(chat), OpenAIChatCompletionsModel)
    await responses.close()
    await chat.close()


async def test_a_key_from_the_environment_is_not_sent_to_another_endpoint() -> None:
    endpoint = openai_model(model="m", base_url="http://x.invalid", api_key=None, api="responses")
    client = client_of(endpoint)
    assert (client.api_key, client.base_url.host) == ("none", "x.invalid")
    await endpoint.close()
    assert client.is_closed()


async def test_openai_is_openai_whatever_the_environment_says() -> None:
    endpoint = openai_model(model="m", base_url=None, api_key="k", api="responses")
    client = client_of(endpoint)
    assert client.base_url.host == "api.openai.com"
    await endpoint.close()


@pytest.mark.parametrize(
    ("own", "called"),
    [(None, "configured"), ("gpt-9", "gpt-9"), (ScriptedModel([]), "ScriptedModel")],
    ids=["none", "a name", "an object"],
)
async def test_a_model_is_reported_by_the_name_that_the_agent_gives(own: Any, called: str) -> None:
    endpoint = openai_model(
        model="configured", base_url="http://x.invalid", api_key=None, api="responses"
    )
    host = Agent(name="Host", model=own)
    runner = OpenAIAgentRunner(
        endpoint.model, TaskTools(), instructions="", agent=host, named=endpoint.named
    )
    assert runner.model == called
    await endpoint.close()

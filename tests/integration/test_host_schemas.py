"""Whatever a host hangs on its agents, what an endpoint is asked has schemas that all take."""

import json
from typing import Annotated, Any, Literal

import pytest
from agents import Agent, FunctionTool, RunContextWrapper, handoff
from agents.mcp import MCPServer
from mcp_types import CallToolResult, GetPromptResult, ListPromptsResult, TextContent, Tool
from pydantic import BaseModel, Field

from chatbridge.adapters.openai.agent_runner import OpenAIAgentRunner
from chatbridge.adapters.openai.models import openai_model
from chatbridge.adapters.openai.unoffered import Unoffered
from tests.contracts.agent_runner import heard, kept
from tests.contracts.task_tools import TaskTools
from tests.integration.scripted_endpoint import (
    Frame,
    ScriptedEndpoint,
    completions,
    function_call,
    message,
    response,
    responses,
)
from tests.unit.domain.tool_schema.schemas import complaints

ODD: dict[str, Any] = {
    "type": "object",
    "properties": {"all": {"type": "array"}, "name": {"type": "string", "pattern": "a"}},
    "anyOf": [{"required": ["all"]}],
}
NEVER: dict[str, Any] = {"type": "object", "$ref": "https://example.com/a.json"}


class Reason(BaseModel):
    """Why somebody else should go on."""

    kind: Literal["other"]
    why: Annotated[str, Field(pattern="^a", max_length=5_000)]


class Tree(BaseModel):
    """An answer that refers to itself."""

    leaves: list["Tree"]
    name: Annotated[str, Field(pattern="x")] = ""


class Hung(MCPServer):
    """A tool server of the host's own."""

    async def connect(self) -> None: ...
    async def cleanup(self) -> None: ...

    @property
    def name(self) -> str:
        return "hung"

    def __init__(self) -> None:
        super().__init__()
        self.called: list[dict[str, Any] | None] = []

    async def list_tools(self, *_: Any, **__: Any) -> list[Tool]:
        return [Tool(name="hung", input_schema=ODD), Tool(name="never", input_schema=NEVER)]

    async def call_tool(
        self, tool_name: str, arguments: dict[str, Any] | None, meta: Any = None
    ) -> CallToolResult:
        self.called.append(arguments)
        return CallToolResult(content=[TextContent(type="text", text="Done.")])

    async def list_prompts(self, *_: Any, **__: Any) -> ListPromptsResult:
        raise NotImplementedError

    async def get_prompt(self, *_: Any, **__: Any) -> GetPromptResult:
        raise NotImplementedError


def tool(name: str, schema: dict[str, Any]) -> FunctionTool:
    async def invoke(_: Any, __: str) -> str:
        return "done"

    return FunctionTool(name, "A tool.", schema, invoke, strict_json_schema=False)


def host() -> Agent[Any]:
    async def nothing(_: RunContextWrapper[Any], __: Reason) -> None: ...

    inner = Agent(name="Inner", tools=[tool("within", ODD), tool("never_within", NEVER)])
    return Agent(
        name="Host",
        tools=[tool("own", ODD), tool("never_own", NEVER), inner.as_tool("ask", "Ask.")],
        handoffs=[handoff(Agent(name="Other"), on_handoff=nothing, input_type=Reason)],
        mcp_servers=[Hung()],
        output_type=Tree,
    )


def asked_for(request: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The functions of a request of either API, and its output, by their names."""
    functions = [tool.get("function", tool) for tool in request.get("tools", ())]
    found = {function["name"]: function for function in functions}
    given = request.get("response_format", {}).get("json_schema") or request.get("text", {})
    output = given.get("format", given)
    return found | ({"(output)": output} if output else {})


def whole(api: str, text: str) -> list[Frame]:
    return responses(message(text)) if api == "responses" else completions(text)


@pytest.mark.parametrize("api", ["responses", "chat_completions"])
async def test_all_that_a_host_has_goes_through_the_same_walk(api: Any) -> None:
    unoffered = Unoffered()
    async with ScriptedEndpoint().running() as endpoint:
        model = openai_model(
            model="m", base_url=endpoint.url, api_key=None, api=api, unoffered=unoffered
        )
        runner = OpenAIAgentRunner(
            model.model, TaskTools(()), instructions="", agent=host(), unoffered=unoffered
        )
        endpoint.answer(*whole(api, '{"leaves": [], "name": "x"}'))
        (answer,) = kept(await heard(runner, "go"))
        await model.close()
    assert json.loads(answer.content)["name"] == "x"
    found = asked_for(endpoint.requests[0])
    assert {*found} == {"own", "ask", "hung", "transfer_to_other", "(output)"}
    for name, function in found.items():
        schema = function.get("parameters") or function["schema"]
        assert list(complaints(schema)) == [], name
    # what says all is strict, mended or not
    assert [name for name, function in found.items() if function.get("strict")] == [
        *("ask", "transfer_to_other", "(output)")
    ]
    assert {(each.source, each.tool) for each in unoffered.tools()} == {
        ("agent Host", "never_own"),
        ("an agent", "never"),
    }


async def test_so_do_the_tools_of_an_agent_that_is_a_tool() -> None:
    unoffered = Unoffered()
    async with ScriptedEndpoint().running() as endpoint:
        model = openai_model(
            model="m", base_url=endpoint.url, api_key=None, api="responses", unoffered=unoffered
        )
        runner = OpenAIAgentRunner(model.model, TaskTools(()), instructions="", agent=host())
        endpoint.answer(*responses(function_call("ask", '{"input": "?"}')))
        inner = response("completed", message("Inside."))
        endpoint.answer(json.dumps(inner).encode(), headers={"content-type": "application/json"})
        endpoint.answer(*responses(message('{"leaves": []}')))
        await heard(runner, "go")
        await model.close()
    found = asked_for(endpoint.requests[1])
    assert "never_within" not in found
    assert list(complaints(found["within"]["parameters"])) == []
    assert ("an agent", "never_within") in {(e.source, e.tool) for e in unoffered.tools()}


async def test_a_tool_server_of_the_hosts_own_gets_its_own_names_of_arguments() -> None:
    schema = {
        "type": "object",
        "properties": {"größe": {"type": "object", "properties": {"$min": {"type": "integer"}}}},
        "required": ["größe"],
    }

    class Foreign(Hung):
        async def list_tools(self, *_: Any, **__: Any) -> list[Tool]:
            return [Tool(name="measure", input_schema=schema)]

    server = Foreign()
    agent = Agent(name="Host", mcp_servers=[server])
    async with ScriptedEndpoint().running() as endpoint:
        model = openai_model(model="m", base_url=endpoint.url, api_key=None, api="responses")
        runner = OpenAIAgentRunner(model.model, TaskTools(()), instructions="", agent=agent)
        endpoint.answer(*responses(function_call("measure", '{"gr__e": {"_min": 1}}')))
        endpoint.answer(*responses(message("Done.")))
        await heard(runner, "go")
        await model.close()
    assert server.called == [{"größe": {"$min": 1}}]
    told = asked_for(endpoint.requests[0])["measure"]["parameters"]
    assert told["required"] == [*told["properties"]] == ["gr__e"]

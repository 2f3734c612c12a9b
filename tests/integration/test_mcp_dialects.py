"""Tool servers that bend the protocol, or mean harm, over real HTTP."""

import asyncio
import gzip
import json
from collections.abc import Callable
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.tool_provider import McpToolProvider
from chatbridge.domain.model.tool import LeftOut
from tests.integration.tool_servers import behalf, names, provider, request, serving

ALICE, BOB = behalf("alice"), behalf("bob")
LOOK_UP = {"name": "look_up", "inputSchema": {"type": "object"}}
DONE = {"content": [{"type": "text", "text": "done"}]}
VERSION = "2025-06-18"


class Scripted:
    """A server of before 2026 that answers lists and calls as it is told."""

    def __init__(self, *tools: Any, sessions: bool = False) -> None:
        self.list: Callable[[Request, dict[str, Any]], Any] = lambda *_: {"tools": [*tools]}
        self.call: Callable[[dict[str, Any]], Any] = lambda _: DONE
        self.greeting: dict[str, Any] | None = None
        self.sessions = sessions
        self.methods: list[str] = []
        self.calls: list[dict[str, Any]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            asked = Request(scope, receive)
            await (await self._answer(asked))(scope, receive, send)

    async def _answer(self, asked: Request) -> Response:
        if asked.method != "POST":
            return Response(status_code=405)
        message = await asked.json()
        method = message["method"]
        self.methods.append(method)
        if "id" not in message:
            return Response(status_code=202)
        answer = self._result(asked, method, message)
        if isinstance(answer, Response):
            return answer
        headers = {"Mcp-Session-Id": "s"} if self.sessions and method == "initialize" else {}
        return JSONResponse({"jsonrpc": "2.0", "id": message["id"], **answer}, headers=headers)

    def _result(self, asked: Request, method: str, message: dict[str, Any]) -> Any:
        match method:
            case "initialize" if self.greeting is not None:
                return {"result": self.greeting}
            case "initialize":
                info = {"name": "scripted", "version": "1"}
                capabilities = {"tools": {}}
                said = {"protocolVersion": VERSION, "capabilities": capabilities}
                return {"result": {**said, "serverInfo": info, "instructions": "Look up first."}}
            case "tools/list":
                return {"result": self.list(asked, message.get("params") or {})}
            case "tools/call":
                self.calls.append(message["params"])
                answer = self.call(message)
                return answer if isinstance(answer, Response) else {"result": answer}
            case _:
                return {"error": {"code": -32601, "message": "Method not found"}}


def at(base: str, **more: Any) -> HttpServer:
    return HttpServer(name="probe", url=f"{base}/mcp", **more)


def error(
    message: dict[str, Any], code: int, words: str, status: int = 200, **more: Any
) -> Response:
    told = {"code": code, "message": words, **more}
    said = {"jsonrpc": "2.0", "id": message["id"], "error": told}
    return JSONResponse(said, status_code=status)


async def test_a_tool_that_no_model_takes_is_left_out_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    bad = {"name": "bad", "inputSchema": {"type": "object", "$ref": "https://example.com/a.json"}}
    async with serving(Scripted(bad, LOOK_UP)) as base, provider(at(base)) as tools:
        assert await names(tools) == ["look_up"]
        assert tools.left_out() == (
            LeftOut(source="probe", tool="bad", reason="its schema is elsewhere"),
        )
    assert "tool server probe: 'bad' is not offered: its schema is elsewhere" in caplog.text


async def test_more_tools_than_the_limit_are_left_out() -> None:
    many = [{**LOOK_UP, "name": f"tool_{number}"} for number in range(5)]
    async with serving(Scripted(*many)) as base:
        tools = McpToolProvider([at(base)], most_tools=3)
        assert len(await tools.tools(ALICE)) == 3
        assert [each.tool for each in tools.left_out()] == ["tool_3", "tool_4"]
        await tools.close()


async def test_a_long_description_goes_on_in_the_schema() -> None:
    words = "".join(f"{number} " for number in range(600))
    async with (
        serving(Scripted({**LOOK_UP, "description": words})) as base,
        provider(at(base)) as tools,
    ):
        (tool,) = await tools.tools(ALICE)
    assert len(tool.description) == 1024
    assert tool.description + tool.parameters["description"].partition(":) ")[2] == words.strip()


async def test_users_with_tokens_of_their_own_have_lists_of_their_own() -> None:
    server = Scripted()

    def own(asked: Request, _: Any) -> Any:
        return {"tools": [{**LOOK_UP, "name": f"for_{asked.headers['authorization'][7:]}"}]}

    server.list = own
    async with (
        serving(server) as base,
        provider(at(base, token=lambda on_behalf: on_behalf.user_id)) as tools,
    ):
        assert [tool.name for tool in await tools.tools(ALICE)] == ["for_alice"]
        assert [tool.name for tool in await tools.tools(BOB)] == ["for_bob"]
        refused = await tools.call(request("for_alice"), BOB)
    assert refused.output == "There is no tool 'for_alice'."
    assert server.calls == []


ODD_GREETINGS: tuple[dict[str, Any], ...] = (
    {},
    {"capabilities": None, "serverInfo": "probe", "instructions": 5},
    {"capabilities": [], "serverInfo": {"name": "probe", "version": 1}},
    {"capabilities": {"tools": True}, "protocolVersion": "2024-10-07"},
    {"protocolVersion": 1},
)


@pytest.mark.parametrize("greeting", ODD_GREETINGS)
async def test_a_server_that_introduces_itself_oddly_has_its_tools(greeting: Any) -> None:
    server = Scripted(LOOK_UP)
    server.greeting = greeting
    async with serving(server) as base, provider(at(base)) as tools:
        assert await names(tools) == ["look_up"]
        assert (await tools.call(request("look_up"), ALICE)).output == "done"


def plainly(result: Any, kind: str | None) -> Callable[[dict[str, Any]], Response]:
    return lambda message: Response(
        json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}), media_type=kind
    )


def event(text: str) -> Callable[[dict[str, Any]], Response]:
    def answer(message: dict[str, Any]) -> Response:
        said = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": DONE})
        return Response(text.replace("SAID", said), media_type="text/event-stream")

    return answer


@pytest.mark.parametrize(
    "answer",
    [
        plainly(DONE, "text/plain"),
        plainly(DONE, None),
        lambda _: JSONResponse(DONE),
        event("\ufeffdata: SAID\n\n"),
        event("data: SAID\n"),
        event("data: SAID"),
        event("event: response\r\ndata: SAID\r\n\r\n"),
        event('event: ping\ndata: {"error": 1}\n\ndata: SAID\n\n'),
        event("SAID"),
    ],
)
async def test_an_answer_in_a_wrong_wrapping_is_an_answer(answer: Any) -> None:
    server = Scripted(LOOK_UP)
    server.call = answer
    async with serving(server) as base, provider(at(base, timeout=5)) as tools:
        await tools.tools(ALICE)
        result = await tools.call(request("look_up"), ALICE)
    assert (result.output, result.failed) == ("done", False)


def answers(*ids: Any, events: bool) -> Callable[[dict[str, Any]], Response]:
    """Answers to these ids, numbered."""

    def call(message: dict[str, Any]) -> Response:
        said = [
            {"jsonrpc": "2.0", "id": known(message["id"]), "result": {"content": f"to {n}"}}
            for n, known in enumerate(ids)
        ]
        if not events:
            return JSONResponse(said[0] if len(said) == 1 else said)
        text = "".join(f"data: {json.dumps(each)}\n\n" for each in said)
        return Response(text, media_type="text/event-stream")

    return call


def mine(asked: int) -> Any:
    return asked


def of_another(asked: int) -> Any:
    return asked + 1


def as_text(asked: int) -> Any:
    return str(asked)


def null(asked: int) -> Any:
    return None


@pytest.mark.parametrize("events", [True, False])
@pytest.mark.parametrize(
    ("ids", "taken"),
    [
        ([of_another, mine], "to 1"),
        ([null, mine], "to 1"),
        ([as_text, mine], "to 1"),
        ([mine, of_another], "to 0"),
        ([as_text], "to 0"),
        ([null], "to 0"),
        ([of_another], None),
        ([of_another, null], None),
        ([as_text, null], None),
    ],
)
async def test_an_answer_to_another_call_is_never_taken_for_this_ones(
    ids: list[Any], taken: str | None, events: bool
) -> None:
    server = Scripted(LOOK_UP)
    server.call = answers(*ids, events=events)
    async with serving(server) as base, provider(at(base, timeout=5)) as tools:
        result = await tools.call(request("look_up"), ALICE)
    assert (result.output == taken, result.unknown) == (taken is not None, taken is None)
    assert taken or "gave no answer that can be read" in result.output


@pytest.mark.parametrize("cursor", ["again", "", 7])
async def test_a_cursor_that_comes_again_ends_the_list(cursor: Any) -> None:
    server = Scripted()
    server.list = lambda *_: {"tools": [LOOK_UP], "nextCursor": cursor}
    async with serving(server) as base, provider(at(base)) as tools:
        assert await names(tools) == ["look_up"]
    assert server.methods.count("tools/list") <= 2


@pytest.mark.parametrize("code", [-32000, -32600, -32603, -32700, 500])
async def test_a_servers_own_error_keeps_its_words(code: int) -> None:
    server = Scripted(LOOK_UP)
    server.call = lambda message: error(message, code, "The project is archived.")
    async with serving(server) as base, provider(at(base)) as tools:
        result = await tools.call(request("look_up"), ALICE)
    assert (result.failed, result.unknown) == (True, False)
    assert result.output.endswith("answered with an error: “The project is archived.”")


async def test_what_a_server_says_besides_of_its_error_is_read() -> None:
    server = Scripted(LOOK_UP)
    server.call = lambda message: error(message, 1, "Refused.", data={"field": "due", "rest": 3})
    async with serving(server) as base, provider(at(base)) as tools:
        result = await tools.call(request("look_up"), ALICE)
    assert result.output.endswith('answered with an error: “Refused.\n{"field": "due", "rest": 3}”')


LOST = {
    "without words": lambda _: Response(status_code=404),
    "not found": lambda message: error(message, -32001, "Session not found", 404),
    "no valid one": lambda message: error(message, -32000, "Bad Request: No valid session ID", 400),
    "not greeted": lambda message: error(message, -32000, "Server not initialized", 400),
    "expired": lambda message: error(message, -32600, "Session expired or not found"),
    "too early": lambda message: error(
        message, -32602, "Received request before initialization was complete"
    ),
}


@pytest.mark.parametrize("lost", LOST.values(), ids=LOST)
async def test_a_session_that_is_lost_is_taken_up_anew(lost: Callable[[Any], Response]) -> None:
    server = Scripted(LOOK_UP, sessions=True)
    server.call = lambda message: lost(message) if len(server.calls) < 2 else DONE
    async with serving(server) as base, provider(at(base)) as tools:
        result = await tools.call(request("look_up"), ALICE)
    assert (result.output, len(server.calls)) == ("done", 2)


async def test_a_tool_that_has_failed_for_a_session_of_its_own_is_not_run_again() -> None:
    server = Scripted(LOOK_UP, sessions=True)
    server.call = lambda message: error(message, -32603, "The login session expired.")
    async with serving(server) as base, provider(at(base)) as tools:
        result = await tools.call(request("look_up"), ALICE)
    assert (result.failed, len(server.calls)) == (True, 1)


async def test_a_session_that_is_lost_each_time_is_said_with_its_words() -> None:
    server = Scripted(LOOK_UP, sessions=True)
    server.call = lambda message: error(message, -32001, "Session not found", 404)
    async with serving(server) as base, provider(at(base)) as tools:
        result = await tools.call(request("look_up"), ALICE)
    assert (result.failed, result.unknown, len(server.calls)) == (True, False, 3)
    assert "Session not found" in result.output


def reporting(times: int, every: float) -> Callable[[dict[str, Any]], Response]:
    def call(message: dict[str, Any]) -> Response:
        token = message["params"]["_meta"]["progressToken"]

        async def events() -> Any:
            for number in range(times):
                report = {"progressToken": token, "progress": number}
                method = "notifications/progress"
                said = {"jsonrpc": "2.0", "method": method, "params": report}
                yield f"data: {json.dumps(said)}\n\n"
                await asyncio.sleep(every)
            said = {"jsonrpc": "2.0", "id": message["id"], "result": DONE}
            yield f"data: {json.dumps(said)}\n\n"

        return StreamingResponse(events(), media_type="text/event-stream")

    return call


@pytest.mark.parametrize(
    ("longest", "output"), [(60.0, "done"), (1.0, "The tool did not answer within 1 s")]
)
async def test_progress_is_a_sign_of_life_up_to_a_limit(longest: float, output: str) -> None:
    server = Scripted(LOOK_UP)
    server.call = reporting(8, 0.2)
    async with (
        serving(server) as base,
        provider(at(base, timeout=0.6, longest=longest)) as tools,
    ):
        result = await tools.call(request("look_up"), ALICE)
    assert result.output.startswith(output)


@pytest.mark.parametrize("packed", [True, False])
async def test_an_answer_that_is_too_large_is_not_read(packed: bool) -> None:
    large = {"jsonrpc": "2.0", "id": 1, "result": {"content": " " * 300_000_000 if packed else ""}}
    body = gzip.compress(json.dumps(large).encode(), 1) if packed else b" " * 20_000_000
    headers = {"content-encoding": "gzip"} if packed else {}
    server = Scripted(LOOK_UP)
    server.call = lambda _: Response(body, media_type="application/json", headers=headers)
    async with serving(server) as base, provider(at(base)) as tools:
        result = await tools.call(request("look_up"), ALICE)
        server.call = lambda _: DONE
        assert (await tools.call(request("look_up"), ALICE)).output == "done"
    assert (result.failed, result.unknown) == (True, False)
    assert "answered with more than 8 MiB, which was not read" in result.output


async def test_an_answer_that_is_packed_unasked_is_read() -> None:
    server = Scripted(LOOK_UP)

    def packed(message: dict[str, Any]) -> Response:
        said = {"jsonrpc": "2.0", "id": message["id"], "result": DONE}
        body = gzip.compress(json.dumps(said).encode())
        headers = {"content-encoding": "gzip"}
        return Response(body, media_type="application/json", headers=headers)

    server.call = packed
    async with serving(server) as base, provider(at(base)) as tools:
        assert (await tools.call(request("look_up"), ALICE)).output == "done"


async def test_arguments_without_end_are_not_sent() -> None:
    deep: Any = "end"
    for _ in range(900):
        deep = [deep]
    server = Scripted(LOOK_UP)
    async with serving(server) as base, provider(at(base)) as tools:
        result = await tools.call(request("look_up", deep=deep), ALICE)
    assert (result.failed, result.unknown) == (True, False)
    assert "nested in more than 100 levels" in result.output
    assert server.calls == []


@pytest.mark.parametrize("trusted", [True, False])
async def test_a_servers_instructions_are_the_models_only_where_it_is_trusted(
    trusted: bool,
) -> None:
    async with (
        serving(Scripted(LOOK_UP)) as base,
        provider(at(base, instructions=trusted)) as tools,
    ):
        await tools.tools(ALICE)
        said = tools.instructions(ALICE)
    assert said == ({"probe": "Look up first."} if trusted else {})


@pytest.mark.parametrize("status", [404, 405])
async def test_an_address_of_the_old_transport_is_named_in_the_log(
    status: int, caplog: pytest.LogCaptureFixture
) -> None:
    async def old(scope: Any, receive: Any, send: Any) -> None:
        async def events() -> Any:
            yield "event: endpoint\ndata: /messages?session_id=1\n\n"
            await asyncio.sleep(30)

        if scope["type"] == "http":
            answer: Response = Response(status_code=status)
            if scope["method"] == "GET":
                answer = StreamingResponse(events(), media_type="text/event-stream")
            await answer(scope, receive, send)

    async with serving(old) as base, provider(at(base)) as tools:
        assert await names(tools) == []
    assert "this is the address of the old transport, HTTP+SSE" in caplog.text

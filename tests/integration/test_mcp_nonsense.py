"""Tool servers that answer what no tool server answers."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from fastapi import FastAPI

from chatbridge.adapters.mcp.http_server import HttpServer
from chatbridge.adapters.mcp.listing import ListingTimes
from chatbridge.adapters.mcp.stdio_server import StdioServer
from chatbridge.domain.model.tool import ToolResult
from tests.integration.tool_servers import (
    PROBE_TOOLS,
    Probe,
    behalf,
    names,
    older,
    probe_at,
    provider,
    request,
    serving,
)

ALICE = behalf("alice")
OBJECT = {"type": "object"}


# no answer at all


def answering(body: bytes, status: int = 200, media_type: bytes = b"application/json") -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            headers = [(b"content-type", media_type)]
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body})

    return app


NONSENSE = [
    answering(b"{"),
    answering(b"[]"),
    answering(b"null"),
    answering(b'{"jsonrpc": "2.0", "id": 77, "result": {}}'),
    answering(b"<html>Hello</html>", media_type=b"text/html"),
    answering(b"data: {\n\n", media_type=b"text/event-stream"),
    answering(b"", media_type=b"text/event-stream"),
    answering(b"\xff\xfe", media_type=b"nonsense"),
    answering(b"", 204),
    answering(b"", 202),
    answering(b"no", 500),
    answering(b"<html>Bad Gateway</html>", 502),
    answering(b"", 504),
]
NO_SPOONS = ToolResult(
    output="The tool server 'probe' answered with an error: “no spoons”", failed=True
)
REFUSALS = {status: answering(b"no", status) for status in (401, 403, 413, 429)}


@pytest.mark.parametrize("nonsense", [*NONSENSE, *REFUSALS.values()])
async def test_nonsense_costs_only_its_own_tools(nonsense: Any) -> None:
    times = ListingTimes(patience=1)
    async with serving(nonsense) as bad, serving(Probe().app()) as good:
        servers = (probe_at(bad, name="bad", timeout=1), probe_at(good, name="good"))
        async with provider(*servers, times=times) as tools:
            assert await names(tools) == list(PROBE_TOOLS)
            assert [away.source for away in tools.away(ALICE)] == ["bad"]
            assert (await tools.call(request("echo", text="hi"), ALICE)).output == "hi"


class AnsweringCalls:
    """A probe that lists its tools well, and answers each call in its own way."""

    def __init__(self, answer: Any, *, stateless: bool = True) -> None:
        self.calls = 0
        self._answer = answer
        self._sound = Probe(stateless=stateless).app()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        first = await receive() if scope["type"] == "http" else None
        calling = first is not None and b'"method":"tools/call"' in first.get("body", b"")
        self.calls += calling

        async def again() -> Any:
            nonlocal first
            message, first = first, None
            return message or await receive()

        await (self._answer if calling else self._sound)(scope, again, send)


@pytest.mark.parametrize("nonsense", NONSENSE)
async def test_a_call_that_is_answered_with_nonsense_is_made_once_and_its_outcome_unknown(
    nonsense: Any,
) -> None:
    app = AnsweringCalls(nonsense)
    async with serving(app) as base, provider(probe_at(base, timeout=1)) as tools:
        assert await names(tools) == list(PROBE_TOOLS)
        result = await tools.call(request("echo", text="hi"), ALICE)

    assert result.unknown
    assert result.output.endswith("the tool did its work is unknown. Check before trying again.")
    assert len(result.output) < 400
    assert app.calls == 1


@pytest.mark.parametrize(
    ("body", "status", "media_type", "read"),
    [
        (b'{"jsonrpc": "2.0", "error": "no spoons"}', 200, "application/json", NO_SPOONS),
        (b'{"jsonrpc": "2.0", "error": ["no spoons"]}', 400, "application/json", NO_SPOONS),
        (b'data: {"error": {"message": "no spoons"}}\n\n', 200, "text/event-stream", NO_SPOONS),
        (
            b'data: {"result": "a spoon"}\r\n\r\n',
            200,
            "text/event-stream",
            ToolResult(output="a spoon"),
        ),
        (
            b'[{"result": [{"text": "a spoon"}]}]',
            200,
            "application/json",
            ToolResult(output="a spoon"),
        ),
    ],
)
async def test_what_is_hardly_json_rpc_is_an_answer_all_the_same(
    body: bytes, status: int, media_type: str, read: ToolResult
) -> None:
    app = AnsweringCalls(answering(body, status, media_type.encode()))
    async with serving(app) as base, provider(probe_at(base, timeout=2)) as tools:
        await tools.tools(ALICE)
        assert await tools.call(request("echo", text="hi"), ALICE) == read


@pytest.mark.parametrize("status", REFUSALS)
@pytest.mark.parametrize("of_today", [True, False])
async def test_a_call_that_is_not_let_in_has_failed_for_sure(status: int, of_today: bool) -> None:
    app = AnsweringCalls(REFUSALS[status], stateless=of_today)
    at = app if of_today else older(app)
    async with serving(at) as base, provider(probe_at(base)) as tools:
        await tools.tools(ALICE)
        result = await tools.call(request("echo", text="hi"), ALICE)

    assert result == ToolResult(
        output=f"The tool server 'probe' refused the call (HTTP status {status}: “no”); "
        "nothing was done.",
        failed=True,
    )
    assert app.calls == 1


def redirecting(status: int) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        headers = [(b"location", b"https://login.example.com/?state=secret")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body"})

    return app


PROBLEM = b'{"title": "Not now", "detail": "Closed on Sundays", "type": "about:blank"}'
OAUTH = b'{"error": "invalid_token", "error_description": "It has expired"}'
REDIRECTED = "a redirect to login.example.com that was not followed"


@pytest.mark.parametrize(
    ("answer", "came", "said", "unknown"),
    [
        (answering(b'{"error": "boom"}', 400), "HTTP status 400", "boom", False),
        (answering(OAUTH, 401), "HTTP status 401", "invalid_token; It has expired", False),
        (
            answering(PROBLEM, 503, b"application/problem+json"),
            "HTTP status 503",
            "Not now; Closed on Sundays",
            True,
        ),
        (answering(b"Too\nlong" * 999, 413, b"text/plain"), "HTTP status 413", "Too long", False),
        (answering(b"<p>Bad</p>", 502, b"text/html"), "HTTP status 502", "", True),
        (answering(b"<p>Hi</p>", 200, b"text/html"), "200 with content type text/html", "", True),
        (redirecting(302), f"HTTP status 302, {REDIRECTED}", "", False),
        (redirecting(303), f"HTTP status 303, {REDIRECTED}", "", True),
    ],
)
async def test_an_answer_that_is_no_message_is_told_by_what_came_and_its_own_words(
    answer: Any, came: str, said: str, unknown: bool, caplog: pytest.LogCaptureFixture
) -> None:
    app = AnsweringCalls(answer)
    async with serving(app) as base, provider(probe_at(base)) as tools:
        await tools.tools(ALICE)
        result = await tools.call(request("echo", text="hi"), ALICE)

    assert (result.failed, result.unknown) == (True, unknown)
    assert (f"{came}: “{said}" if said else f"{came})") in result.output
    assert len(result.output) < 800
    assert f"{came})" in caplog.messages[-1]
    assert "secret" not in result.output + caplog.messages[-1]
    assert app.calls == 1


SILENT = "import time; time.sleep(60)"
TALKATIVE = "print('Hello!', flush=True); import time; time.sleep(60)"
ENDLESS = "while True: print('{}', flush=True)"
ECHOING = "import sys; [print(line, end='', flush=True) for line in sys.stdin]"


@pytest.mark.parametrize("code", ["pass", SILENT, TALKATIVE, ENDLESS, ECHOING])
async def test_a_command_that_is_no_tool_server_costs_only_its_own_tools(code: str) -> None:
    none = StdioServer(name="none", command=sys.executable, args=["-c", code], starting=2)
    async with serving(Probe().app()) as base, provider(none, probe_at(base)) as tools:
        assert await names(tools) == list(PROBE_TOOLS)
        assert [away.source for away in tools.away(ALICE)] == ["none"]
        assert (await tools.call(request("echo", text="hi"), ALICE)).output == "hi"


async def test_something_else_at_the_address_is_no_tool_server() -> None:
    async with serving(FastAPI()) as base, provider(probe_at(base)) as tools:
        assert await names(tools) == []
        assert (await tools.call(request("echo", text="hi"), ALICE)).failed


# tools that are none


def listing(*tools: Any, schema: Any = None) -> Callable[..., Any]:
    """A probe whose list begins with these tools, as they are; `schema` is for all the others."""

    def change(data: bytes) -> bytes:
        answer = json.loads(data)
        result = answer["result"]
        others = [tool | ({"inputSchema": schema} if schema else {}) for tool in result["tools"]]
        result["tools"] = [*tools, *others]
        return json.dumps(answer).encode()

    return rewriting(change)


def rewriting(change: Callable[[bytes], bytes]) -> Callable[..., Any]:
    """A probe whose list is changed on its way."""
    inner = Probe().app()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        body = b""

        async def changing(message: Any) -> None:
            nonlocal body
            if message["type"] != "http.response.body":
                message["headers"] = [h for h in message["headers"] if h[0] != b"content-length"]
                await send(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body"):
                await send({"type": "http.response.body", "body": _changed(body, change)})

        await inner(scope, receive, changing if scope["type"] == "http" else send)

    return app


def _changed(body: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """The answer, by itself or as an event, with its list of tools changed."""
    start, mark, data = body.rpartition(b"data: ")
    if b'"tools":[' not in data:
        return body
    return start + mark + change(data) + b"\r\n\r\n" * bool(mark)


TEXT = {"type": "string"}
ODD: dict[str, dict[str, Any]] = {
    "no schema": {},
    "null": {"inputSchema": None},
    "a list": {"inputSchema": []},
    "a text for a type": {"inputSchema": {"type": "string"}},
    "no type": {"inputSchema": {"properties": {"q": TEXT}}},
    "branches": {"inputSchema": {"anyOf": [{"properties": {"q": TEXT}}, {}]}},
    "a reference": {"inputSchema": {"$ref": "#/$defs/A", "$defs": {"A": {"properties": {}}}}},
    "another name": {"parameters": {"properties": {"q": TEXT}, "required": "q", "$schema": 5}},
    "a property that is a text": {"inputSchema": {**OBJECT, "properties": {"q": "string"}}},
    "a title that is a number": {"inputSchema": OBJECT, "title": 5, "description": None},
    "a description that is a list": {"inputSchema": OBJECT, "description": ["a", "b"]},
    "a schema that is a text": {"inputSchema": '{"properties": {"q": {}}}'},
    "a number that no one reads": {"inputSchema": {**OBJECT, "default": float("nan")}},
}
NO_TOOLS: tuple[tuple[Any, str], ...] = (
    ({"name": 7, "inputSchema": OBJECT}, "'7' is not offered: it has no name"),
    (None, "'None' is not offered: it has no name"),
    ("bad", "'bad' is not offered: it has no name"),
    ({"name": "worse", "inputSchema": "none"}, "'worse' is not offered: its schema is no object"),
)


@pytest.mark.parametrize("of_today", [True, False])
async def test_an_odd_tool_costs_at_most_itself_and_is_named_in_the_log(
    of_today: bool, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [{"name": name, **tool} for name, tool in ODD.items()]
    app = listing(*odd, *(bad for bad, _ in NO_TOOLS))
    async with (
        serving(app if of_today else older(app)) as base,
        provider(probe_at(base)) as tools,
    ):
        found = await tools.tools(ALICE)
        assert [tool.name for tool in found] == [
            *(name.replace(" ", "_") for name in ODD),
            *PROBE_TOOLS,
        ]
        assert tools.away(ALICE) == ()
        assert (await tools.call(request("echo", text="hi"), ALICE)).output == "hi"

    shown = {tool.name: [*tool.parameters["properties"]] for tool in found}
    assert shown["branches"] == shown["no_type"] == shown["another_name"] == ["q"]
    said = {tool.name: tool.description for tool in found}
    assert (said["a_title_that_is_a_number"], said["a_description_that_is_a_list"]) == ("5", "a\nb")
    for _, why in NO_TOOLS:
        assert f"tool server probe: {why}" in caplog.text


# what no parser of the client's would take
DIGITS = b'{"type": "object", "default": ' + b"7" * 5_000 + b"}"
DEEP = b'{"not":' * 900 + b"{}" + b"}" * 900
DEEPER = b'{"not":' * 90_000 + b"{}" + b"}" * 90_000


@pytest.mark.parametrize(
    "tools",
    [b"null", b"7", b'{"echo": {}}', b"[null]"]
    + [
        b'[{"name": "a", "inputSchema": %s}, {"name": "echo"}]' % it
        for it in (DIGITS, DEEP, DEEPER)
    ],
)
async def test_a_list_is_read_whatever_stands_in_it(tools: bytes) -> None:
    def change(answer: bytes) -> bytes:
        head, _, _ = answer.partition(b'"tools":[')
        return head + b'"tools":' + tools + b', "nextCursor": 0}}'

    async with serving(rewriting(change)) as base, provider(probe_at(base)) as offered:
        found = await names(offered)
        assert offered.away(ALICE) == ()
    assert ("echo" in found) is (b"echo" in tools)


async def test_an_argument_whose_name_some_endpoint_refuses_has_another_for_the_model() -> None:
    schema = {"properties": {"text": {}, "$top": {"type": "object", "properties": {"größe": TEXT}}}}
    async with serving(listing(schema=schema)) as base, provider(probe_at(base)) as tools:
        echo = (await tools.tools(ALICE))[0]
        inner = echo.parameters["properties"]["_top"]
        said = {"text": "hi", "_top": {"gr__e": "XL"}}
        result = await tools.call(request("echo", **said), ALICE)
    assert [*inner["properties"]] == ["gr__e"]
    assert result.output == "hi"


async def test_what_is_not_used_of_a_tool_may_be_anything() -> None:
    odd = {"name": "odd", "inputSchema": OBJECT, "outputSchema": 1, "icons": {}, "annotations": []}
    async with serving(listing(odd)) as base, provider(probe_at(base)) as tools:
        assert await names(tools) == ["odd", *PROBE_TOOLS]


async def test_of_two_tools_of_one_name_in_one_list_the_first_is_offered() -> None:
    first = {"name": "echo", "description": "The first.", "inputSchema": OBJECT}
    async with serving(listing(first)) as base, provider(probe_at(base)) as tools:
        found = await tools.tools(ALICE)

    assert [tool.name for tool in found] == list(PROBE_TOOLS)
    assert found[0].description == "The first."


async def test_a_tool_without_a_name_gets_one_that_every_model_takes() -> None:
    nameless = listing({"name": "", "inputSchema": OBJECT})
    async with serving(nameless) as base, provider(probe_at(base)) as tools:
        assert (await names(tools))[0] == "probe_"


@pytest.mark.parametrize("schema", [{"type": "object"}, {"type": "object", "properties": None}])
@pytest.mark.parametrize("user_argument", [None, "user_id"])
async def test_a_tool_without_a_good_schema_has_one_that_every_model_takes(
    schema: dict[str, Any], user_argument: str | None
) -> None:
    async with serving(listing(schema=schema)) as base:
        at = HttpServer(name="probe", url=f"{base}/mcp", user_argument=user_argument)
        async with provider(at) as tools:
            found = await tools.tools(ALICE)

    assert [tool.name for tool in found] == list(PROBE_TOOLS)
    assert all(tool.parameters == {"type": "object", "properties": {}} for tool in found)

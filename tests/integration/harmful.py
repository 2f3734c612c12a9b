"""An agent, a model endpoint, tool servers and a database that mean harm: each repeats what it was
told where it can, in errors before all."""

import json
import re
from collections.abc import Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.integration.scripted_endpoint import DONE, Answer, ScriptedEndpoint, chunk, frame

MUTTERING = '''
import sys
from mcp.server import MCPServer
print("muttering begins\\x1b[2J", file=sys.stderr, flush=True)
server = MCPServer("muttering")
@server.tool()
def mutter(word: str) -> str:
    """Say it elsewhere."""
    print(word, "\\x1b[2J", file=sys.stderr, flush=True)
    raise ValueError(word)
server.run()
'''
AGENT = '''
import logging
import warnings
from agents import Agent, function_tool
from chatbridge.entrypoints.logs.door import Door
from chatbridge.entrypoints.logs.lines import TextLine

handler = logging.FileHandler("packages.log")
handler.addFilter(Door())
handler.setFormatter(TextLine())
logging.getLogger().addHandler(handler)
logging.getLogger().setLevel("DEBUG")
logging.getLogger("mcp.client").setLevel("DEBUG")

class Mine(Exception):
    pass

def fail(word):
    warnings.warn(word, stacklevel=1)
    try:
        {}[word]
    except KeyError as error:
        raise Mine(word) from error

@function_tool
def crash(word: str) -> str:
    """Crash."""
    return fail(word)

@function_tool(failure_error_function=lambda context, error: f"no: {error}")
def excused(word: str) -> str:
    """Crash."""
    return fail(word)

@function_tool(failure_error_function=None)
def deadly(word: str) -> str:
    """Crash."""
    return fail(word)

@function_tool
def typed(word: int) -> str:
    """Take a number."""
    return str(word)

def agent():
    logging.getLogger("chatbridge.tests").warning("the agent %r", Agent(name="diagnosis"))
    return Agent(name="Shop", instructions="diagnosis", tools=[crash, excused, deadly, typed])
'''
TRIGGER = """
create function {0}.refuse() returns trigger language plpgsql as $$ begin
  if new.content like 'store %' then
    raise exception '%', new.content using detail = new.content, hint = new.content,
      errcode = split_part(new.content, ' ', 2);
  end if;
  return new;
end $$;
create trigger refuse before insert on {0}.messages
  for each row execute function {0}.refuse()
"""
SAID = re.compile(r"the diagnosis-\d+ of somebody")


class Endpoint(ScriptedEndpoint):
    """Does what the newest message of a person says: `call NAME ARGUMENTS`, or fails in a way."""

    def next_answer(self, asked: dict[str, Any]) -> Answer:
        newest = next(m for m in reversed(asked["messages"]) if m["role"] in ("user", "tool"))
        told = newest["content"] if isinstance(newest["content"], str) else str(newest["content"])
        said = (SAID.search(told) or [told])[0]
        if newest["role"] == "tool":
            return _repeat(told)
        if told.startswith("call "):
            _, name, arguments = told.split(" ", 2)
            return _calling(name, arguments)
        way = WAYS_OF_THE_MODEL.get(told.split(" ")[0], _repeat)
        return way(said)


_JSON = {"content-type": "application/json"}


def _calling(name: str, arguments: str) -> Answer:
    function = {"name": name, "arguments": arguments}
    call = {"index": 0, "id": "c1", "type": "function", "function": function}
    return Answer([chunk({"tool_calls": [call]}), chunk(finish="tool_calls"), DONE])


def _repeat(said: str) -> Answer:
    return Answer([chunk({"content": said}), chunk(finish="stop"), DONE])


def _refuse(said: str) -> Answer:
    name = SAID.sub(lambda found: found[0].split()[1], said)  # has the form of a code
    error = {"message": said, "code": name, "type": name, "param": f"tools[0].{name}"}
    return Answer([json.dumps({"error": error}).encode()], status=400, headers=_JSON)


WAYS_OF_THE_MODEL: dict[str, Callable[[str], Answer]] = {
    "invent": lambda said: _calling(said, said),
    "refuse": _refuse,
    "break": lambda said: Answer([chunk({"content": "a"}), frame({"error": {"message": said}})]),
    "nonsense": lambda said: Answer([f"data: {said}\n\n".encode()]),
    "page": lambda said: Answer([said.encode()], headers={"content-type": "text/html"}),
    "shape": lambda said: Answer([chunk({"content": {said: [said]}, "tool_calls": said}), DONE]),
    "end": lambda said: Answer([chunk({"content": "a"}), chunk(finish=said), DONE]),
}


class ToolServer:
    """Has a tool for each way to answer badly, and repeats in it what it was asked."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, str], dict[str, Any]]] = []

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            request = Request(scope, receive)
            answer = Response(status_code=405)
            if request.method == "POST":
                answer = self._answer(request, await request.json())
            await answer(scope, receive, send)

    def _answer(self, request: Request, asked: dict[str, Any]) -> Response:
        match asked["method"]:
            case "initialize":
                return _result(asked, INITIALIZED)
            case "tools/list":
                return _result(asked, {"tools": [*map(_listed, WAYS_OF_A_TOOL), *BAD_TOOLS]})
            case "tools/call":
                way, said = asked["params"]["name"], asked["params"]["arguments"]["word"]
                self.calls.append((way, dict(request.headers), asked["params"]["_meta"]))
                return WAYS_OF_A_TOOL[way](asked, said)
            case _ if "id" in asked:
                return _failed(asked, NOBODYS)
            case _:
                return Response(status_code=202)


def _result(asked: dict[str, Any], result: Any) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "result": result})


def _failed(asked: dict[str, Any], said: str) -> Response:
    error = {"code": -32000, "message": said, "data": said}
    return JSONResponse({"jsonrpc": "2.0", "id": asked["id"], "error": error})


def _text(said: str) -> list[dict[str, str]]:
    return [{"type": "text", "text": said}]


def _notified(asked: dict[str, Any], said: str) -> Response:
    told = {"level": "error", "logger": said, "data": said}
    messages = [
        {"jsonrpc": "2.0", "method": "notifications/message", "params": told},
        {"jsonrpc": "2.0", "method": f"notifications/{said}", "params": {said: said}},
        {"jsonrpc": "2.0", "id": asked["id"], "result": {"content": _text(said)}},
    ]
    events = "".join(f"data: {json.dumps(each)}\n\n" for each in messages)
    return Response(events, media_type="text/event-stream")


WAYS_OF_A_TOOL: dict[str, Callable[[dict[str, Any], str], Response]] = {
    "tells": lambda asked, said: _result(asked, {"content": _text(said)}),
    "fails": lambda asked, said: _result(asked, {"content": _text(said), "isError": True}),
    "errs": _failed,
    "babbles": lambda _, said: Response(f"{{{said}", media_type="application/json"),
    "bends": lambda asked, said: _result(asked, {"content": said, "structuredContent": said}),
    "breaks": lambda _, said: Response(said, status_code=500, headers={"x-said": said}),
    "notifies": _notified,
    "drips": lambda _, said: Response(f"data: {said}\n\n", media_type="text/event-stream"),
}
NOBODYS = "the diagnosis-0 of somebody"
BAD_TOOLS = [{"name": NOBODYS, "inputSchema": "diagnosis"}, NOBODYS]
INITIALIZED = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}, "logging": {}},
    "serverInfo": {"name": NOBODYS, "version": "1"},
    "instructions": NOBODYS,
}


def _listed(name: str) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}}

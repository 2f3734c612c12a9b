"""Nobody's words are in the log: each way in has a canary, and no line may sing.

A row of INPUTS is one way in. The server is a process of its own, on Postgres, with an agent, tool
servers and a model endpoint that mean harm; besides its own log at DEBUG it writes what every
package logs at DEBUG through the door to a file.
"""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from jose import jwt
from sqlalchemy import text

from chatbridge.adapters.jwt.token_issuer import JwtTokenIssuer
from chatbridge.domain.model.caller import DEVELOPMENT, Caller
from chatbridge.domain.model.identifiers import UserId
from tests import postgres
from tests.chatkit_client import create, user_input
from tests.integration.harmful import (
    AGENT,
    MUTTERING,
    TRIGGER,
    WAYS_OF_A_TOOL,
    WAYS_OF_THE_MODEL,
    Endpoint,
    ToolServer,
)
from tests.integration.tool_servers import serving
from tests.serving import SECRET, Spawned, spawn


@dataclass
class World:
    """A server of its own, and somebody who is signed in there."""

    server: Spawned
    home: Path
    http: httpx.AsyncClient
    tools: ToolServer
    model: Endpoint

    async def say(self, message: str, **more: Any) -> httpx.Response:
        return await self.http.post("/api/alice/chat", json={"message": message, **more})

    async def call(self, tool: str, word: str) -> httpx.Response:
        return await self.say(f"call {tool} {json.dumps({'word': word})}")

    async def chatkit(self, body: Any, **how: Any) -> httpx.Response:
        return await self.http.post("/chatkit", json=body, **how)

    async def raw(self, head: str) -> None:
        host, port = self.server.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(head.encode("latin-1") + b"\r\n\r\n")
        await reader.read(1)
        writer.close()


Input = Callable[[World, str], Awaitable[Any]]
JSON = {"Content-Type": "application/json"}


def _input(**more: Any) -> Callable[[str], dict[str, Any]]:
    def made(said: str) -> dict[str, Any]:
        filled = json.loads(json.dumps(more).replace("SAID", said))
        return {"type": "threads.create", "params": {"input": user_input("hello") | filled}}

    return made


QUOTED = _input(quoted_text="SAID")
TAGGED = _input(
    content=[{"type": "input_tag", "id": "SAID", "text": "SAID", "data": {"SAID": "SAID"}}]
)


def _token(**claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {jwt.encode(claims, SECRET, 'HS256')}"}


async def _titled(world: World, said: str) -> None:
    created = await world.say("hello")
    where = {"thread_id": created.json()["conversation_id"]}
    item = created.json()["messages"][0]["id"]
    for kind, params in (
        ("threads.update", {"title": said}),
        ("items.feedback", {"item_ids": [item, said], "kind": "positive"}),
        ("items.list", {"after": said}),
        ("threads.custom_action", {"action": {"type": said, "payload": {said: said}}}),
        (said, {}),
    ):
        await world.chatkit({"type": kind, "params": {**where, **params}, "metadata": {said: said}})


A_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]{12}Z [A-Z]+ [\w.]+: ")

INPUTS: dict[str, Input] = {
    "message": lambda w, said: w.say(said),
    "message of ChatKit": lambda w, said: w.chatkit(create(said)),
    "quoted text": lambda w, said: w.chatkit(QUOTED(said)),
    "tag": lambda w, said: w.chatkit(TAGGED(said)),
    "title, feedback, cursor, action, operation": _titled,
    "unknown field": lambda w, said: w.say("hello", **{said: said}),
    "wrong type": lambda w, said: w.http.post("/api/alice/chat", json={"message": [said]}),
    "wrong shape": lambda w, said: w.chatkit({"type": "threads.create", "params": said}),
    "not JSON": lambda w, said: w.http.post("/chatkit", content=said, headers=JSON),
    "query": lambda w, said: w.http.get(
        "/api/alice/conversations", params={"after": said, said: 1}
    ),
    "path": lambda w, said: w.http.get(f"/api/alice/conversations/{said}/messages"),
    "no path": lambda w, said: w.http.get(f"/{said}"),
    "somebody": lambda w, said: w.http.get(f"/api/{said}/conversations"),
    "header": lambda w, said: w.http.post(
        "/api/alice/chat",
        json={"message": "hello"},
        headers=dict.fromkeys(("X-Request-Id", "X-Odd", "User-Agent", "Referer", "Cookie"), said),
    ),
    "refused headers": lambda w, said: w.http.post(
        "/api/alice/chat",
        json={"message": "hello"},
        headers=dict.fromkeys(("Idempotency-Key", "X-Chatbridge-Time-Zone", "Last-Event-ID"), said),
    ),
    "key": lambda w, said: w.say("hello", key=said),
    "content type": lambda w, said: w.http.post(
        "/chatkit", content="{}", headers={"Content-Type": said}
    ),
    "token": lambda w, said: w.http.get(
        "/api/alice/conversations", headers={"Authorization": f"Bearer {said}"}
    ),
    "claims": lambda w, said: w.http.get(
        "/api/alice/conversations", headers=_token(sub=said, iss=said, aud=said, name=said)
    ),
    "claims of ours": lambda w, said: w.http.get(
        "/api/alice/conversations",
        headers=_token(sub=said, iss="chatbridge", aud=DEVELOPMENT, exp=said, iat=said),
    ),
    "method": lambda w, said: w.raw(f"{said.replace(' ', '-')} / HTTP/1.1\r\nHost: x"),
    "no HTTP": lambda w, said: w.raw(f"{said}\r\n{said}: \x00"),
    "answer of the model": lambda w, said: w.say(f"repeat {said}"),
    **{
        f"model that may {way}": lambda w, said, way=way: w.say(f"{way} {said}")
        for way in WAYS_OF_THE_MODEL
    },
    "arguments that are no JSON": lambda w, said: w.say(f"call crash {said}"),
    "arguments of another type": lambda w, said: w.call("typed", said),
    "crash": lambda w, said: w.call("crash", said),
    "crash with an excuse": lambda w, said: w.call("excused", said),
    "crash that ends the run": lambda w, said: w.call("deadly", said),
    **{f"tool that {way}": lambda w, said, way=way: w.call(way, said) for way in WAYS_OF_A_TOOL},
    "task": lambda w, said: w.say(f"call add_task {json.dumps({'title': said})}"),
    "no such task": lambda w, said: w.say(f"call update_task {json.dumps({'title': said})}"),
    "stdio": lambda w, said: w.call("mutter", said),
    "database": lambda w, said: w.say(f"store P0001 {said}"),
    "data that can't be kept": lambda w, said: w.say(f"store 22021 {said}"),
    "right that is missing": lambda w, said: w.say(f"store 42501 {said}"),
    "database that is away": lambda w, said: w.say(f"store 57P01 {said}"),
}


@pytest.fixture
async def world(fresh_database: str, tmp_path: Path) -> AsyncIterator[World]:
    await _set_trigger(fresh_database)
    (tmp_path / "shop.py").write_text(AGENT)
    (tmp_path / "muttering.py").write_text(MUTTERING)
    tools = ToolServer()
    async with Endpoint().running() as endpoint, serving(tools) as base:
        servers = {
            "probe": {"url": f"{base}/mcp"},
            "child": {"command": sys.executable, "args": ["muttering.py"]},
        }
        server = await spawn(
            tmp_path,
            "--agent",
            "shop:agent",
            DATABASE_URL=fresh_database,
            CHATBRIDGE_SECRET=SECRET,
            CHATBRIDGE_LOG__LEVEL="debug",
            CHATBRIDGE_AGENT__MODEL="m",
            CHATBRIDGE_AGENT__API="chat_completions",
            CHATBRIDGE_AGENT__BASE_URL=endpoint.url,
            CHATBRIDGE_MCP__SERVERS=json.dumps(servers),
        )
        issued = JwtTokenIssuer(SECRET.encode()).issue(
            Caller(user_id=UserId("alice")), audience=DEVELOPMENT, lifetime=timedelta(hours=1)
        )
        headers = {"Authorization": f"Bearer {issued.token}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=20) as http:
            yield World(server, tmp_path, http, tools, endpoint)
        if server.process.poll() is None:
            server.kill()


async def _set_trigger(url: str) -> None:
    engine = postgres.engine_on(url)
    async with engine.connect() as connection:
        for statement in TRIGGER.format("chatbridge").split(";\ncreate trigger"):
            prefix = "" if statement.lstrip().startswith("create function") else "create trigger"
            await connection.execute(text(prefix + statement))
    await engine.dispose()


async def test_nobodys_words_are_in_the_log(world: World) -> None:
    said = {f"diagnosis-{n}": name for n, name in enumerate(INPUTS, 1)}
    asked = [INPUTS[name](world, f"the {canary} of somebody") for canary, name in said.items()]
    await asyncio.gather(*asked)
    world.server.stop()
    logs = {path.name: path.read_text() for path in world.home.glob("*.log")}
    assert logs.keys() == {"server.log", "packages.log"}
    sung = {
        name: line
        for log in logs.values()
        for line in log.splitlines()
        for canary, name in {**said, "diagnosis": "itself"}.items()
        if re.search(rf"{canary}(?!\d)", line)
    }
    assert not sung
    assert len(logs["packages.log"].splitlines()) > 1_000
    told = [line for line in logs["server.log"].splitlines() if A_TIME.match(line)]
    _require_what_helps(told)
    _require_ids(told, world)


def _require_what_helps(told: list[str]) -> None:
    """What the host can mend is told with its place, once, and in which turn it was."""
    for tool in ("crash", "excused"):
        (line,) = [line for line in told if f"the tool {tool} failed in call call_" in line]
        assert re.search(rf"shop\.Mine at shop\.py:\d+ in fail < shop\.py:\d+ in {tool}", line)
        assert "| KeyError at shop.py:" in line
    (deadly,) = [line for line in told if "failed with agent_failed: UserError" in line]
    assert "| shop.Mine at shop.py:" in deadly
    assert all(f" {id}_id=" in deadly for id in ("request", "turn", "conversation"))
    assert any(r"tool server child: muttering begins\x1b[2J" in line for line in told)
    assert any("database: refused (ProgrammingError, SQLSTATE 42501)" in line for line in told)


def _require_ids(told: list[str], world: World) -> None:
    """Each call has told its server for which request it was, and the turn's line names that."""
    tools = world.tools
    ended = [line for line in told if " a turn has ended " in line]
    assert {way for way, _, _ in tools.calls} == set(WAYS_OF_A_TOOL)
    for way, headers, meta in tools.calls:
        id = headers["x-request-id"]
        assert meta["chatbridge/request-id"] == id
        (line,) = [line for line in ended if f" request_id={id} " in line]
        assert f" tools={way} " in line
        assert any(f"x-client-request-id: {id}\r\n" in head for head in world.model.heads)

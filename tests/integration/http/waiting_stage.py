"""A stage for what a person is asked over HTTP: a scripted model, and a tool that asks."""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import uuid4

import httpx

from chatbridge.domain.model.tool import Away, OnBehalf, Tool, ToolRequest, ToolResult
from chatbridge.ports.tool_provider import ToolProvider
from tests.chatkit_client import Json, create, items, say, without_times
from tests.integration.scripted_endpoint import (
    DONE,
    ScriptedEndpoint,
    chunk,
    completions,
    function_call,
    message,
    responses,
)
from tests.serving import Served, served, settings_for

SCHEMA: Json = {"type": "object", "properties": {}}


class CountingTools(ToolProvider):
    """`pay`, which asks, and `look`, and how each was called, for whom and under which id.

    `gone` takes `pay` away; while they are not `free`, they do their work and don't say so.
    """

    def __init__(self) -> None:
        self.calls: list[tuple[str, str, str, Any]] = []
        self.gone = False
        self.free = asyncio.Event()
        self.free.set()

    async def tools(self, on_behalf: OnBehalf) -> tuple[Tool, ...]:
        pay = Tool(name="pay", description="pay", parameters=SCHEMA, asks="approval")
        look = Tool(name="look", description="look", parameters=SCHEMA)
        return (look,) if self.gone else (pay, look)

    def away(self, on_behalf: OnBehalf) -> tuple[Away, ...]:
        return ()

    async def call(self, request: ToolRequest, on_behalf: OnBehalf) -> ToolResult:
        await asyncio.sleep(0.05)
        self.calls.append((request.name, on_behalf.user_id, request.call_id, request.arguments))
        await self.free.wait()
        return ToolResult(output=f"{request.name} has worked")

    async def close(self) -> None:
        """Nothing is open."""

    def of(self, user: str) -> list[tuple[str, Any]]:
        return [(name, arguments) for name, owner, _, arguments in self.calls if owner == user]


class Api:
    """The same model's steps by either API."""

    def __init__(self, name: str) -> None:
        self.name = name

    def text(self, text: str) -> list[bytes]:
        return responses(message(text)) if self.name == "responses" else completions(text)

    def calls(self, *asked: tuple[str, Json]) -> list[bytes]:
        if self.name == "responses":
            made = [
                function_call(name, json.dumps(arguments), f"theirs_{n}")
                for n, (name, arguments) in enumerate(asked)
            ]
            return responses(*made)
        told = [
            {
                "index": n,
                "id": f"theirs_{n}",
                "type": "function",
                "function": {"name": name, "arguments": json.dumps(arguments)},
                "extra_content": {"google": {"thought_signature": f"signed_{n}"}},
            }
            for n, (name, arguments) in enumerate(asked)
        ]
        thought = {"reasoning_content": "Hm."}
        delta = {"role": "assistant", **thought, "tool_calls": told}
        return [chunk(delta), chunk(finish="tool_calls"), DONE]

    def read(self, request: Json) -> list[tuple[str, Any]]:
        """What the model was given, as (role or kind, what) in order."""
        if self.name == "responses":
            return [
                (
                    i["role"],
                    i["content"] if isinstance(i["content"], str) else i["content"][0]["text"],
                )
                if "role" in i
                else (i["type"], i.get("output") or i.get("name"))
                for i in request["input"]
            ]
        read: list[tuple[str, Any]] = []
        for m in request["messages"]:
            if m["role"] == "system":
                continue
            if calls := m.get("tool_calls"):
                read += [("function_call", c["function"]["name"]) for c in calls]
            elif m["role"] == "tool":
                read.append(("function_call_output", m["content"]))
            else:
                read.append((m["role"], m["content"]))
        return read

    def require_pairs(self, request: Json) -> None:
        """Every call has its output behind it, and nothing is an orphan."""
        open_calls: set[str] = set()
        for entry in request["input"] if self.name == "responses" else request["messages"]:
            if id := entry.get("tool_call_id"):
                open_calls.remove(id)
            elif entry.get("type") == "function_call_output":
                open_calls.remove(entry["call_id"])
            elif entry.get("type") == "function_call":
                open_calls.add(entry["call_id"])
            else:
                assert not open_calls, "something stands between a call and its output"
                made: list[Json] = entry.get("tool_calls") or []
                open_calls |= {c["id"] for c in made}
        assert not open_calls


class Stage:
    """chatbridge over a store, with a model that says what the test says."""

    def __init__(self, here: Served, endpoint: ScriptedEndpoint, tools: CountingTools, api: Api):
        self.here, self.endpoint, self.tools, self.api = here, endpoint, tools, api
        self.user = f"user-{uuid4().hex[:12]}"
        self.client = here.as_user(self.user)
        endpoint.requests.clear()
        endpoint.answers.clear()

    def model(self, *asked: tuple[str, Json], then: str = "Done.") -> None:
        self.endpoint.answer(*self.api.calls(*asked)).answer(*self.api.text(then))

    async def ask(self, text: str = "pay five") -> tuple[str, list[Json]]:
        thread, told = await say(self.client, create(text))
        return thread, screen(told)

    async def press(self, thread: str, item: Json, action: Json) -> list[Json]:
        _, told = await say(self.client, act(thread, item["id"], action))
        return told

    async def answer(self, thread: str, call: str, **body: Any) -> httpx.Response:
        where = f"/api/{self.user}/conversations/{thread}/answers"
        return await self.client.post(where, json={"call_id": call, **body})

    async def reload(self, thread: str) -> list[Json]:
        answer = await self.client.post("/chatkit", json=items(thread))
        assert answer.status_code == 200, answer.text
        return [without_times(item) for item in answer.json()["data"]]

    async def kept(self, thread: str) -> list[Json]:
        where = f"/api/{self.user}/conversations/{thread}/messages"
        return (await self.client.get(where, params={"limit": 100})).json()["items"]

    async def cancel(self, thread: str) -> bool:
        where = f"/api/{self.user}/conversations/{thread}/cancel"
        return (await self.client.post(where)).json()["cancelled"]


@asynccontextmanager
async def stage(
    store_url: str, endpoint: ScriptedEndpoint, tools: CountingTools, api: Api, **turns: Any
) -> AsyncGenerator[Served]:
    agent = {"model": "m", "base_url": endpoint.url, "api_key": "k", "api": api.name}
    settings = settings_for(store_url, agent=agent, turns=turns)

    async with served(settings, lambda c: cast(Any, c).tools.override(tools)) as here:
        yield here


def buttons(item: Any) -> list[Json]:
    """The actions of an item's buttons, in order."""
    match item:
        case {"onClickAction": action} | {"onSubmitAction": action}:
            inner = [action]
        case _:
            inner = []
    parts: Any = [*cast(Json, item).values()] if isinstance(item, dict) else item
    listed = cast(list[Any], parts) if isinstance(parts, list) else []
    # a form's after those in it
    return [*(action for part in listed for action in buttons(part)), *inner]


def screen(told: Sequence[Json], before: Sequence[Json] = ()) -> list[Json]:
    """What a client shows after these events, a widget's component put where its id is."""
    shown = {item["id"]: item for item in before}
    for event in told:
        match event:
            case {"type": "thread.item.added" | "thread.item.done" | "thread.item.replaced"}:
                shown[event["item"]["id"]] = without_times(event["item"])
            case {"update": {"type": "widget.root.updated", "widget": widget}, "item_id": id}:
                shown[id] = {**shown[id], "widget": widget}
            case {"update": {"type": "widget.component.updated"} as update, "item_id": id}:
                shown[id] = {**shown[id], "widget": put(shown[id]["widget"], update)}
            case {"type": "thread.item.removed", "item_id": id}:
                del shown[id]
            case _:
                pass
    return [*shown.values()]


def put(node: Any, update: Json) -> Any:
    match node:
        case {"id": id} if id == update["component_id"]:
            return update["component"]
        case dict():
            return {k: put(value, update) for k, value in cast(Json, node).items()}
        case list():
            return [put(each, update) for each in cast(list[Any], node)]
        case _:
            return node


def act(thread: str, item_id: str, action: Json) -> Json:
    params = {"thread_id": thread, "item_id": item_id, "action": action}
    return {"type": "threads.custom_action", "params": params}


def call_of(item: Json) -> str:
    return buttons(item)[0]["payload"]["call_id"]


def events_of(text: str) -> list[tuple[int, Json]]:
    """The numbered events of a stream over REST, without what a person's machine has to say."""
    found: list[tuple[int, Json]] = []
    for part in text.split("\n\n"):
        lines = dict(line.split(": ", 1) for line in part.splitlines() if ": " in line)
        if "id" in lines:
            found.append((int(lines["id"]), json.loads(lines["data"])))
    return found


def numbered(text: str) -> list[tuple[str, str]]:
    """The frames of a resumable stream, each with its place."""
    lines = ((line.split(": ", 1) for line in p.splitlines()) for p in text.split("\n\n"))
    parts = [dict(line for line in part if len(line) == 2) for part in lines]
    return [(part["id"], part["data"]) for part in parts if "id" in part]

"""OpenAI's Conversations and Responses API over real HTTP, judged by the client's own types."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from openai.types.conversations import Conversation, ConversationDeletedResource, ConversationItem
from openai.types.responses import ResponseInputItemParam
from pydantic import ConfigDict, TypeAdapter
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.faults.model_dialects import Responses
from tests.serving import free_port, serving

Json = dict[str, Any]

_SENT = TypeAdapter[Any](ResponseInputItemParam, config=ConfigDict(extra="forbid"))
_SHOWN = TypeAdapter[Any](ConversationItem)
_PAGE, _AT_ONCE = 20, 20


class OpenAI:
    """What is kept in `conversations`, item by item; `asked` counts requests by their kind.

    The model answers by the last words of a person: `call` calls the tool `add_task`, `fail` ends
    the turn, `wait` says a word and then nothing; to all else it says how many items it was given.
    A request of a kind in `refused` is answered with that status.
    """

    def __init__(self) -> None:
        self.conversations: dict[str, list[Json]] = {}
        self.asked: Counter[str] = Counter()
        self.read: list[list[Json]] = []
        self.refused: dict[str, int] = {}
        self.may_add = asyncio.Event()
        self.may_add.set()
        self.url = ""
        self._numbers = count(1)

    @asynccontextmanager
    async def running(self) -> AsyncGenerator["OpenAI"]:
        """Listen on a free port of 127.0.0.1."""
        one, items = "/v1/conversations/{id}", "/v1/conversations/{id}/items"
        routes = [
            Route("/v1/conversations", self._create, methods=["POST"]),
            Route(one, self._delete, methods=["DELETE"]),
            Route(items, self._list, methods=["GET"]),
            Route(items, self._add, methods=["POST"]),
            Route("/v1/responses", self._respond, methods=["POST"]),
        ]
        port = free_port()
        self.url = f"http://127.0.0.1:{port}/v1"
        async with serving(Starlette(routes=routes), port, timeout_graceful_shutdown=1):
            yield self

    def texts(self, id: str) -> list[str]:
        """What a conversation holds, in a word for each item."""
        return [_word(item) for item in self.conversations[id]]

    def given(self) -> list[str]:
        """What the model was given last."""
        return [_word(item) for item in self.read[-1]]

    async def _create(self, request: Request) -> Response:
        if refusal := self._refusal("create", None):
            return refusal
        id = f"conv_{next(self._numbers)}"
        self.conversations[id] = self._kept((await request.json())["items"])
        made = Conversation(id=id, created_at=0, metadata={}, object="conversation")
        return JSONResponse(made.model_dump())

    async def _delete(self, request: Request) -> Response:
        id = request.path_params["id"]
        if refusal := self._refusal("delete", id):
            return refusal
        del self.conversations[id]
        gone = ConversationDeletedResource(id=id, deleted=True, object="conversation.deleted")
        return JSONResponse(gone.model_dump())

    async def _list(self, request: Request) -> Response:
        id, asked = request.path_params["id"], request.query_params
        if refusal := self._refusal("list", id):
            return refusal
        items = self.conversations[id]
        items = items if asked.get("order") == "asc" else items[::-1]
        ids = [item["id"] for item in items]
        begin = ids.index(asked["after"]) + 1 if "after" in asked else 0
        return JSONResponse(_listed(items[begin : begin + _PAGE], len(items) > begin + _PAGE))

    async def _add(self, request: Request) -> Response:
        id = request.path_params["id"]
        sent = (await request.json())["items"]
        self.asked["adding"] += 1
        await self.may_add.wait()
        if refusal := self._refusal("add", id):
            return refusal
        added = self._kept(sent)
        self.conversations[id] += added
        return JSONResponse(_listed(added, False))

    async def _respond(self, request: Request) -> Response:
        body = await request.json()
        self.read.append(body["input"])
        return StreamingResponse(_answer(body), media_type="text/event-stream")

    def _refusal(self, kind: str, id: str | None) -> Response | None:
        self.asked[kind] += 1
        status = self.refused.get(kind)
        if status is None and id is not None and id not in self.conversations:
            status = 404
        error = {"message": "No.", "type": "invalid_request_error", "param": None, "code": None}
        return JSONResponse({"error": error}, status) if status else None

    def _kept(self, sent: list[Json]) -> list[Json]:
        assert len(sent) <= _AT_ONCE
        return [self._item(item) for item in sent]

    def _item(self, sent: Json) -> Json:
        _SENT.validate_python(sent)
        item = {"status": "completed", **sent, "id": f"item_{next(self._numbers)}"}
        if sent.get("type") == "message" and isinstance(sent["content"], str):
            kind = "output_text" if sent["role"] == "assistant" else "input_text"
            part = {"type": kind, "text": sent["content"]}
            item["content"] = [{**part, "annotations": []} if kind == "output_text" else part]
        return _SHOWN.validate_python(item).model_dump(mode="json", exclude_unset=True)


def _listed(items: list[Json], more: bool) -> Json:
    ends = [item["id"] for item in items] or [""]
    page = {"data": items, "first_id": ends[0], "last_id": ends[-1]}
    return {"object": "list", "has_more": more, **page}


def _word(item: Json) -> str:
    content = item.get("content") or item.get("output") or item.get("name") or ""
    said = content if isinstance(content, str) else "".join(part["text"] for part in content)
    return f"{item.get('role') or item['type']}: {said}"


async def _answer(body: Json) -> AsyncIterator[bytes]:
    dialect = Responses()
    prompt = dialect.prompt(body)
    if prompt == "call" and not dialect.steps(body):
        yield dialect.call("call_there", "add_task", json.dumps({"title": "milk"}))
        return
    text = f"I was given {len(body['input'])}"
    yield dialect.opening()
    yield dialect.delta(text)
    if prompt == "wait":
        await asyncio.sleep(60)
    if prompt != "fail":
        yield dialect.closing(text)
